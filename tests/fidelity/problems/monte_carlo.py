import random
random.seed(42); n = 20000; p = 4 * sum(random.random() ** 2 + random.random() ** 2 < 1 for _ in range(n)) / n
assert abs(p - 3.14) < .05; print(p)
