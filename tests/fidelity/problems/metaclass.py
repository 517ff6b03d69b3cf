class Registry(type):
    all = {}
    def __new__(m, n, b, d, **k): c = super().__new__(m, n, b, d); m.all[n] = k; return c
    def __init__(c, n, b, d, **k): super().__init__(n, b, d)
class X(metaclass=Registry, tag=1): pass
class Y(X, tag=2): pass
assert Registry.all == {"X": {"tag": 1}, "Y": {"tag": 2}}; print(type(Y).__name__)
