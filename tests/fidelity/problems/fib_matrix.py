def mul(a, b): return [[sum(x * y for x, y in zip(r, c)) for c in zip(*b)] for r in a]
def fib(n):
    r, m = [[1, 0], [0, 1]], [[1, 1], [1, 0]]
    while n:
        if n & 1: r = mul(r, m)
        m = mul(m, m); n >>= 1
    return r[0][1]
assert fib(90) == 2880067194370816120; print(fib(300))
