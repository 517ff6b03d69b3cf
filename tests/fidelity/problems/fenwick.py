t = [0] * 101
def add(i, v):
    while i < 101: t[i] += v; i += i & -i
def s(i): return 0 if i <= 0 else t[i] + s(i - (i & -i))
for i in range(1, 101): add(i, i)
assert s(100) == 5050; print(s(50) - s(9))
