import heapq
g = {"a": {"b": 7, "c": 9, "f": 14}, "b": {"c": 10, "d": 15}, "c": {"d": 11, "f": 2}, "d": {"e": 6}, "f": {"e": 9}, "e": {}}
d, h = {}, [(0, "a")]
while h:
    c, u = heapq.heappop(h)
    if u in d: continue
    d[u] = c
    for v, w in g[u].items(): heapq.heappush(h, (c + w, v))
assert d["e"] == 20; print(sorted(d.items()))
