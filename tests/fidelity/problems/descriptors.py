class Positive:
    def __set_name__(s, o, n): s.n = "_" + n
    def __get__(s, i, o): return getattr(i, s.n) if i else s
    def __set__(s, i, v):
        if v <= 0: raise ValueError(f"{s.n[1:]} must be positive")
        setattr(i, s.n, v)
class A:
    x = Positive()
a = A(); a.x = 3
try: a.x = -1
except ValueError as e: print(e, a.x)
