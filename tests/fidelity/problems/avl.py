def h(t): return t[3] if t else 0
def mk(l, v, r): return (l, v, r, 1 + max(h(l), h(r)))
def bal(l, v, r):
    if h(l) > h(r) + 1:
        a, x, b, _ = l
        if h(b) > h(a): c, y, d, _ = b; return mk(mk(a, x, c), y, mk(d, v, r))
        return mk(a, x, mk(b, v, r))
    if h(r) > h(l) + 1:
        a, x, b, _ = r
        if h(a) > h(b): c, y, d, _ = a; return mk(mk(l, v, c), y, mk(d, x, b))
        return mk(mk(l, v, a), x, b)
    return mk(l, v, r)
def add(t, v): return mk(None, v, None) if not t else bal(add(t[0], v), t[1], t[2]) if v < t[1] else bal(t[0], t[1], add(t[2], v))
t = None
for i in range(1000): t = add(t, i)
assert h(t) <= 14; print(h(t))
