class P:
    def __init__(s, *c): s.c = list(c)
    def __call__(s, x):
        r = 0
        for a in reversed(s.c): r = r * x + a
        return r
    def __mul__(s, o):
        r = [0] * (len(s.c) + len(o.c) - 1)
        for i, a in enumerate(s.c):
            for j, b in enumerate(o.c): r[i + j] += a * b
        return P(*r)
    def d(s): return P(*[i * a for i, a in enumerate(s.c)][1:])
p = P(1, 1) * P(-1, 1); assert p.c == [-1, 0, 1] and p(3) == 8; print(p.d().c)
