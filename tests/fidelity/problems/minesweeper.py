b = ["*...", "....", ".*..", "...."]
out = ["".join("*" if b[r][c] == "*" else str(sum(b[i][j] == "*" for i in range(max(0, r - 1), min(4, r + 2)) for j in range(max(0, c - 1), min(4, c + 2)))) for c in range(4)) for r in range(4)]
assert out == ["*100", "2210", "1*10", "1110"]; print("\n".join(out))
