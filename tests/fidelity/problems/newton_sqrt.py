def isqrt(n):
    x = n
    while x * x > n: x = (x + n // x) // 2
    return x
import math
assert all(isqrt(n) == math.isqrt(n) for n in range(1, 2000)); print(isqrt(2 * 10 ** 60))
