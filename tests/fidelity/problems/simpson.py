import math
def simpson(f, a, b, n=100): h = (b - a) / n; return h / 3 * sum((1 if i in (0, n) else 4 if i % 2 else 2) * f(a + i * h) for i in range(n + 1))
assert abs(simpson(math.sin, 0, math.pi) - 2) < 1e-6; print(round(simpson(math.exp, 0, 1), 9))
