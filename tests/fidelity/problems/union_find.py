p = list(range(10))
def find(x):
    while p[x] != x: p[x] = p[p[x]]; x = p[x]
    return x
for a, b in ((0, 1), (2, 3), (1, 3), (5, 6)): p[find(a)] = find(b)
assert find(0) == find(2) and find(0) != find(5); print(len({find(x) for x in range(10)}))
