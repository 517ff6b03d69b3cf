n = 1000; p = list(range(n + 1))
for i in range(2, n + 1):
    if p[i] == i:
        for j in range(i, n + 1, i): p[j] -= p[j] // i
assert p[36] == 12; print(sum(p[1:101]))
