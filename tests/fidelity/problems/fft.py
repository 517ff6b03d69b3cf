import cmath
def fft(a, s=1):
    if len(a) == 1: return a
    e, o = fft(a[::2], s), fft(a[1::2], s); n = len(a)
    w = [cmath.exp(s * -2j * cmath.pi * k / n) * o[k] for k in range(n // 2)]
    return [x + y for x, y in zip(e, w)] + [x - y for x, y in zip(e, w)]
a = [1, 2, 3, 4, 0, 0, 0, 0]; p = [round((x / 8).real) for x in fft([x * x for x in fft(a)], -1)]
assert p == [1, 4, 10, 20, 25, 24, 16, 0]; print(p)
