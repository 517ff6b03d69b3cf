class Insufficient(Exception): pass
class Account:
    def __init__(s, o, b=0): s.o, s.b, s.h = o, b, []
    def move(s, n):
        if s.b + n < 0: raise Insufficient(f"{s.o} lacks {-n - s.b}")
        s.b += n; s.h.append(n)
a, b = Account("ann", 100), Account("bob")
for n in (30, 50, 40):
    try: a.move(-n); b.move(n)
    except Insufficient as e: print(e)
assert (a.b, b.b) == (20, 80); print(a.h, b.h)
