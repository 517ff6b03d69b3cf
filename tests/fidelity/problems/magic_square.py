n = 5; m = [[0] * n for _ in range(n)]; r, c = 0, n // 2
for k in range(1, n * n + 1):
    m[r][c] = k; a, b = (r - 1) % n, (c + 1) % n
    r, c = ((r + 1) % n, c) if m[a][b] else (a, b)
assert {sum(x) for x in m} | {sum(x) for x in zip(*m)} == {65}; print(*m, sep="\n")
