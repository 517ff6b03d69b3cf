r = {("a", 0): (1, 1, "b"), ("a", 1): (1, -1, "b"), ("b", 0): (1, -1, "a"), ("b", 1): (1, 1, "h")}
t, p, s, n = {}, 0, "a", 0
while s != "h": w, m, s = r[s, t.get(p, 0)]; t[p] = w; p += m; n += 1
assert (sum(t.values()), n) == (4, 6); print(sorted(t.items()))
