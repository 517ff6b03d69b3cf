e = [(0, 1, 4), (0, 2, 5), (1, 3, 3), (2, 1, -6), (3, 2, 4)]
d = [0] + [float("inf")] * 3
for _ in range(3):
    for u, v, w in e: d[v] = min(d[v], d[u] + w)
assert d == [0, -1, 5, 2]; print(d)
