n = 16; a = list(range(n)); t = [0] * n + a
for i in range(n - 1, 0, -1): t[i] = t[2 * i] + t[2 * i + 1]
def q(l, r):
    l += n; r += n; s = 0
    while l < r:
        if l & 1: s += t[l]; l += 1
        if r & 1: r -= 1; s += t[r]
        l >>= 1; r >>= 1
    return s
assert all(q(i, j) == sum(a[i:j]) for i in range(n) for j in range(i, n)); print(q(3, 11))
