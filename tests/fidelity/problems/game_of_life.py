from collections import Counter
def step(s): return {c for c, n in Counter((x + a, y + b) for x, y in s for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b).items() if n == 3 or n == 2 and c in s}
g = {(1, 0), (2, 1), (0, 2), (1, 2), (2, 2)}; s = g
for _ in range(4): s = step(s)
assert s == {(x + 1, y + 1) for x, y in g}; print(sorted(s))
