r = [1]
for _ in range(10): print(*r); r = [a + b for a, b in zip([0] + r, r + [0])]
assert r[5] == 252
