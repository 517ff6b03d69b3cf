class Bus:
    def __init__(s): s.h = {}
    def on(s, e): return lambda f: s.h.setdefault(e, []).append(f) or f
    def emit(s, e, *a): return [f(*a) for f in s.h.get(e, [])]
b = Bus()
@b.on("x")
def one(v): return v + 1
@b.on("x")
def two(v): return v * 2
assert b.emit("x", 5) == [6, 10]; print(b.emit("none"))
