def f():
    class A:
        def __del__(self):
            print("del", g is not None)
    a = A()
    def g():
        return a
    a.g = g
f()
