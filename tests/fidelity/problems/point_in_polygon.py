def inside(x, y, p): return sum((a[1] > y) != (b[1] > y) and x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0] for a, b in zip(p, p[1:] + p[:1])) % 2 == 1
q = [(0, 0), (4, 0), (4, 4), (0, 4)]; assert inside(2, 2, q) and not inside(5, 2, q); print(inside(1, 3.9, q))
