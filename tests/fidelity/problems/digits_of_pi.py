def pi(n):
    x = 0
    for k, s in ((5, 16), (239, -4)):
        t = 10 ** (n + 10) // k; i, sg = 1, s
        while t: x += sg * (t // i); t //= k * k; i += 2; sg = -sg
    return x // 10 ** 10
assert str(pi(50)).startswith("314159265358979323846264338327950288"); print(pi(60))
