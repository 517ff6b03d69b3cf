P = {n for n in range(2, 500) if all(n % d for d in range(2, int(n ** .5) + 1))}
g = {n: next((p, n - p) for p in sorted(P) if n - p in P) for n in range(4, 200, 2)}; assert g[100] == (3, 97); print(g[28], len(g))
