g = [list(r) for r in ("11100", "11000", "00100", "00011")]
def fill(r, c): return 0 if not (0 <= r < 4 and 0 <= c < 5) or g[r][c] != "1" else (g[r].__setitem__(c, "x"), 1 + sum(fill(r + a, c + b) for a, b in ((1, 0), (-1, 0), (0, 1), (0, -1))))[1]
sizes = [n for r in range(4) for c in range(5) if (n := fill(r, c))]
assert sizes == [5, 1, 2]; print(["".join(r) for r in g])
