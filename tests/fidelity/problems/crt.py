def crt(rs, ms):
    x, m = 0, 1
    for r, n in zip(rs, ms): x, m = x + (r - x) * pow(m, -1, n) % n * m, m * n
    return x
assert crt([2, 3, 2], [3, 5, 7]) == 23; print(crt([1, 2, 3, 4], [5, 7, 9, 11]))
