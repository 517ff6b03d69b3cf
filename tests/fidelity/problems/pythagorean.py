t = [(a, b, c) for c in range(1, 60) for b in range(1, c) for a in range(1, b) if a * a + b * b == c * c]; assert (3, 4, 5) in t; print(t)
