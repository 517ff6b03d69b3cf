b = [list(map(int, r)) for r in "530070000 600195000 098000060 800060003 400803001 700020006 060000280 000419005 000080079".split()]
def ok(r, c, v): return all(b[r][i] != v and b[i][c] != v and b[r // 3 * 3 + i // 3][c // 3 * 3 + i % 3] != v for i in range(9))
def solve():
    for r in range(9):
        for c in range(9):
            if not b[r][c]:
                for v in range(1, 10):
                    if ok(r, c, v):
                        b[r][c] = v
                        if solve(): return True
                        b[r][c] = 0
                return False
    return True
assert solve() and b[0] == [5, 3, 4, 6, 7, 8, 9, 1, 2]; print(*b, sep="\n")
