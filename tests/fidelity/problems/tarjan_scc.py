g = {0: [1], 1: [2], 2: [0, 3], 3: [4], 4: [5], 5: [3]}
idx, low, st, on, out = {}, {}, [], set(), []
def go(v):
    idx[v] = low[v] = len(idx); st.append(v); on.add(v)
    for w in g[v]:
        if w not in idx: go(w); low[v] = min(low[v], low[w])
        elif w in on: low[v] = min(low[v], idx[w])
    if low[v] == idx[v]:
        c = []
        while True:
            w = st.pop(); on.discard(w); c.append(w)
            if w == v: break
        out.append(sorted(c))
for v in g: v in idx or go(v)
assert sorted(out) == [[0, 1, 2], [3, 4, 5]]; print(out)
