p = [n for n in range(2, 9000) if sum(d + (n // d if d * d != n and d > 1 else 0) for d in range(1, int(n ** .5) + 1) if n % d == 0) == n]
assert p == [6, 28, 496, 8128]; print(p)
