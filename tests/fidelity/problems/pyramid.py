for i in range(1, 8): print(" " * (7 - i) + "*" * (2 * i - 1))
assert i == 7
