import functools, time
def memo(f):
    c = {}
    @functools.wraps(f)
    def w(*a): return c[a] if a in c else c.setdefault(a, f(*a))
    w.cache = c
    return w
def repeat(n): return lambda f: lambda *a: [f(*a) for _ in range(n)]
@memo
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
@repeat(3)
def hi(x): return x.upper()
assert fib(80) == 23416728348467685 and hi("a") == ["A"] * 3; print(fib.__name__, len(fib.cache))
