import math, operator as op
def parse(s):
    t = s.replace("(", " ( ").replace(")", " ) ").split()
    def r():
        x = t.pop(0)
        if x == "(":
            l = []
            while t[0] != ")": l.append(r())
            t.pop(0); return l
        try: return int(x)
        except ValueError: return x
    return r()
G = {"+": op.add, "*": op.mul, "-": op.sub, "<": op.lt}
def ev(x, e):
    if isinstance(x, str): return e[x]
    if not isinstance(x, list): return x
    if x[0] == "if": return ev(x[2] if ev(x[1], e) else x[3], e)
    if x[0] == "define": e[x[1]] = ev(x[2], e); return
    if x[0] == "lambda": return lambda *a: ev(x[2], {**e, **G, **dict(zip(x[1], a))})
    f, *a = (ev(y, e) for y in x); return f(*a)
ev(parse("(define fact (lambda (n) (if (< n 2) 1 (* n (fact (- n 1))))))"), G); assert ev(parse("(fact 10)"), G) == 3628800; print(ev(parse("(fact 20)"), G))
