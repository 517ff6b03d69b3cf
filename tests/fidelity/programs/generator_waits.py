def f():
    try:
        yield 1
    finally:
        print("finally")
g = f()
next(g)
