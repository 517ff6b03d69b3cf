I = float("inf"); d = [[0, 3, I, 7], [8, 0, 2, I], [5, I, 0, 1], [2, I, I, 0]]
for k in range(4):
    for i in range(4):
        for j in range(4): d[i][j] = min(d[i][j], d[i][k] + d[k][j])
assert d[1] == [5, 0, 2, 3]; print(d)
