from functools import cache
d = (40, 20, 30, 10, 30)
@cache
def m(i, j): return 0 if j - i < 2 else min(m(i, k) + m(k, j) + d[i] * d[k] * d[j] for k in range(i + 1, j))
assert m(0, 4) == 26000; print(m(0, 3))
