def count(a):
    if len(a) < 2: return a, 0
    l, x = count(a[:len(a) // 2]); r, y = count(a[len(a) // 2:]); out, n, i, j = [], x + y, 0, 0
    while i < len(l) and j < len(r):
        if l[i] <= r[j]: out.append(l[i]); i += 1
        else: out.append(r[j]); j += 1; n += len(l) - i
    return out + l[i:] + r[j:], n
assert count([2, 4, 1, 3, 5]) == ([1, 2, 3, 4, 5], 3); print(count(list(range(100, 0, -1)))[1])
