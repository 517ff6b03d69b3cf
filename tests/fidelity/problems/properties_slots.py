class T:
    __slots__ = ("_c",)
    def __init__(s, c): s._c = c
    @property
    def f(s): return s._c * 9 / 5 + 32
    @f.setter
    def f(s, v): s._c = (v - 32) * 5 / 9
t = T(100); assert t.f == 212; t.f = 32
try: t.other = 1
except AttributeError as e: print(t._c, e)
