from functools import cache
@cache
def c(n): return 1 if n == 1 else 1 + c(n // 2 if n % 2 == 0 else 3 * n + 1)
assert c(27) == 112; print(max(range(1, 10000), key=c))
