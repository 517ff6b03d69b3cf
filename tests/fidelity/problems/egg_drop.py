from functools import cache
@cache
def f(m, k): return 0 if m == 0 or k == 0 else f(m - 1, k - 1) + f(m - 1, k) + 1
n = next(m for m in range(200) if f(m, 2) >= 100); assert n == 14; print(n)
