def nxt(a):
    i = len(a) - 2
    while i >= 0 and a[i] >= a[i + 1]: i -= 1
    if i < 0: return a[::-1]
    j = max(k for k in range(i + 1, len(a)) if a[k] > a[i]); a[i], a[j] = a[j], a[i]
    return a[:i + 1] + a[i + 1:][::-1]
assert nxt([1, 3, 2]) == [2, 1, 3]; print(nxt([3, 2, 1]), nxt([1, 1, 5]))
