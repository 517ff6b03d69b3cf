from itertools import groupby
s = "1"
for _ in range(15): s = "".join(f"{len(list(g))}{k}" for k, g in groupby(s))
assert s[0] in "123"; print(len(s), s[:40])
