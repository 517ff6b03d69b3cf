e = sorted([(7, "AD"), (5, "AB"), (8, "BC"), (9, "BD"), (7, "BE"), (5, "CE"), (15, "DE"), (6, "DF"), (8, "EF"), (9, "EG"), (11, "FG")][::-1])
c = {x: x for x in "ABCDEFG"}; t = 0
for w, (a, b) in e:
    if c[a] != c[b]:
        t += w; old = c[a]
        for k in c: c[k] = c[b] if c[k] == old else c[k]
assert t == 39; print(t, len(set(c.values())))
