p, g = 2 ** 127 - 1, 3; a, b = 123456789012345678901, 987654321098765432109
assert pow(pow(g, a, p), b, p) == pow(pow(g, b, p), a, p); print(pow(g, a * b, p))
