w, v, c = [1, 3, 4, 5], [1, 4, 5, 7], 7
d = [0] * (c + 1)
for x, y in zip(w, v):
    for k in range(c, x - 1, -1): d[k] = max(d[k], d[k - x] + y)
assert d[c] == 9; print(d)
