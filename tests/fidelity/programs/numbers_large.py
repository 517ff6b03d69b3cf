print(2**10000%10**20, len(str(3**4000)), 10**400//7**300, 0.1+0.2, 1e308*10, float("nan"), -7//2, -7%3, divmod(7,-2), round(2.5), hash(1.5), hash(10**50), complex(1,2)**2, int("ff",16), f"{3.14159:.2e} {1234567:,} {255:#x} {-5:+d} {0.5:%}")
import math; print(math.comb(100,50),math.isqrt(10**40),math.fsum([.1]*10),math.nextafter(1,2),math.gamma(5.5))
