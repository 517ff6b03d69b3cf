from fractions import Fraction
def det(m):
    m = [[Fraction(x) for x in r] for r in m]; d = Fraction(1)
    for i in range(len(m)):
        p = next((r for r in range(i, len(m)) if m[r][i]), None)
        if p is None: return 0
        if p != i: m[i], m[p] = m[p], m[i]; d = -d
        d *= m[i][i]
        for r in range(i + 1, len(m)):
            f = m[r][i] / m[i][i]; m[r] = [a - f * b for a, b in zip(m[r], m[i])]
    return d
assert det([[2, 0, 1], [1, 3, 2], [1, 1, 4]]) == 18; print(det([[Fraction(1, i + j + 1) for j in range(5)] for i in range(5)]))
