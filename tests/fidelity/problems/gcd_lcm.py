import math
assert math.gcd(462, 1071) == 21 and math.lcm(*range(1, 21)) == 232792560
def egcd(a, b): return (a, 1, 0) if b == 0 else (lambda g, x, y: (g, y, x - a // b * y))(*egcd(b, a % b))
g, x, y = egcd(240, 46); assert 240 * x + 46 * y == g == 2; print(g, x, y)
