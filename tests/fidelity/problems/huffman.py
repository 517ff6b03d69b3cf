import heapq, collections
def codes(s):
    h = [(n, i, c) for i, (c, n) in enumerate(sorted(collections.Counter(s).items()))]; heapq.heapify(h); i = len(h)
    while len(h) > 1: a, b = heapq.heappop(h), heapq.heappop(h); heapq.heappush(h, (a[0] + b[0], i, (a[2], b[2]))); i += 1
    out = {}
    def walk(t, p): out.__setitem__(t, p) if isinstance(t, str) else (walk(t[0], p + "0"), walk(t[1], p + "1"))
    walk(h[0][2], ""); return out
c = codes("abracadabra"); assert sum(len(c[x]) for x in "abracadabra") == 23; print(sorted(c))
