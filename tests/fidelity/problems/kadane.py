def best(a):
    m = c = a[0]
    for x in a[1:]: c = max(x, c + x); m = max(m, c)
    return m
assert best([-2, 1, -3, 4, -1, 2, 1, -5, 4]) == 6; print(best([-3, -1, -2]))
