from collections import defaultdict, deque
c = defaultdict(lambda: defaultdict(int))
for u, v, w in (("s", "a", 10), ("s", "c", 10), ("a", "b", 4), ("a", "c", 2), ("a", "d", 8), ("c", "d", 9), ("d", "b", 6), ("b", "t", 10), ("d", "t", 10)): c[u][v] += w
f = 0
while True:
    p, q = {"s": None}, deque("s")
    while q and "t" not in p:
        u = q.popleft()
        for v, w in list(c[u].items()):
            if w > 0 and v not in p: p[v] = u; q.append(v)
    if "t" not in p: break
    path, v = [], "t"
    while p[v]: path.append((p[v], v)); v = p[v]
    m = min(c[u][v] for u, v in path); f += m
    for u, v in path: c[u][v] -= m; c[v][u] += m
assert f == 19; print(f)
