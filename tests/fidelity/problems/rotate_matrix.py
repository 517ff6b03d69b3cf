m = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]; r = [list(x) for x in zip(*m[::-1])]
assert r == [[7, 4, 1], [8, 5, 2], [9, 6, 3]]; print(r, [list(x)[::-1] for x in zip(*m)][::1])
