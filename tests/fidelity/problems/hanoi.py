def hanoi(n, a, b, c): return [] if n == 0 else hanoi(n - 1, a, c, b) + [(a, c)] + hanoi(n - 1, b, a, c)
assert len(hanoi(10, "A", "B", "C")) == 1023; print(hanoi(3, 1, 2, 3))
