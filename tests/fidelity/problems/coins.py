d = [1] + [0] * 100
for c in (1, 5, 10, 25, 50):
    for k in range(c, 101): d[k] += d[k - c]
assert d[100] == 292; print(d[::10])
