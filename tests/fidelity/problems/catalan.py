import math
c = [1]
for n in range(15): c.append(sum(a * b for a, b in zip(c, reversed(c))))
assert all(x == math.comb(2 * i, i) // (i + 1) for i, x in enumerate(c)); print(c)
