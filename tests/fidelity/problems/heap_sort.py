def sift(a, i, n):
    while (c := 2 * i + 1) < n:
        if c + 1 < n and a[c + 1] > a[c]: c += 1
        if a[i] >= a[c]: return
        a[i], a[c] = a[c], a[i]; i = c
def hs(a):
    for i in range(len(a) // 2, -1, -1): sift(a, i, len(a))
    for n in range(len(a) - 1, 0, -1): a[0], a[n] = a[n], a[0]; sift(a, 0, n)
    return a
assert hs([5, 2, 9, 1, 5, 6]) == [1, 2, 5, 5, 6, 9]; print(hs([i * 37 % 101 for i in range(50)]))
