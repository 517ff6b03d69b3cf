class T:
    def __init__(s, v): s.v, s.l, s.r = v, None, None
    def add(s, v):
        k = "l" if v < s.v else "r"; c = getattr(s, k)
        c.add(v) if c else setattr(s, k, T(v))
    def walk(s): return (s.l.walk() if s.l else []) + [s.v] + (s.r.walk() if s.r else [])
    def depth(s): return 1 + max(s.l.depth() if s.l else 0, s.r.depth() if s.r else 0)
t = T(50); [t.add(x * 37 % 100) for x in range(60)]; assert t.walk() == sorted(t.walk()); print(t.depth())
