def counter():
    n = 0
    def inc(by=1):
        nonlocal n
        n += by
        return n
    return inc
a, b = counter(), counter(); a(); a(5); assert a() == 7 and b() == 1; print([f() for f in [lambda i=i: i for i in range(3)]], [f() for f in [lambda: i for i in range(3)]])
