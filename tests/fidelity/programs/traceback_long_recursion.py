def f(n):
    return g(n)
def g(n):
    return f(n + 1)
f(0)
