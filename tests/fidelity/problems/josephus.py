def j(n, k): return 0 if n == 1 else (j(n - 1, k) + k) % n
assert j(41, 3) + 1 == 31; print([j(n, 2) for n in range(1, 17)])
