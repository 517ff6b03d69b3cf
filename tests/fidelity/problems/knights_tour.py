n = 5; b = [[0] * n for _ in range(n)]; K = [(1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2)]
def mv(r, c): return [(r + x, c + y) for x, y in K if 0 <= r + x < n and 0 <= c + y < n and not b[r + x][c + y]]
def go(r, c, k):
    b[r][c] = k
    if k == n * n: return True
    for x, y in sorted(mv(r, c), key=lambda q: len(mv(*q))):
        if go(x, y, k + 1): return True
    b[r][c] = 0; return False
assert go(0, 0, 1) and sorted(sum(b, [])) == list(range(1, 26)); print(*b, sep="\n")
