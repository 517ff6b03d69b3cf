def solve(n, r=0, c=0, d=0, e=0):
    if r == n: return 1
    return sum(solve(n, r + 1, c | 1 << i, (d | 1 << i) << 1, (e | 1 << i) >> 1) for i in range(n) if not (c | d | e) >> i & 1)
assert solve(6) == 4 and solve(8) == 92; print([solve(n) for n in range(1, 8)])
