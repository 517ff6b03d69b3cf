p = [1] + [0] * 100
for k in range(1, 101):
    for n in range(k, 101): p[n] += p[n - k]
assert p[100] == 190569292; print(p[:20])
