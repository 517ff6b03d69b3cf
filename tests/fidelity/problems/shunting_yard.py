import re
def ev(s):
    toks = re.findall(r"\d+|[-+*/()]", s); pos = 0
    def expr(p=0):
        nonlocal pos
        t = toks[pos]; pos += 1
        l = expr(9) * -1 if t == "-" else int(t) if t != "(" else expr()
        if t == "(": pos += 1
        while pos < len(toks) and toks[pos] != ")" and (q := {"+": 1, "-": 1, "*": 2, "/": 2}[toks[pos]]) > p:
            o = toks[pos]; pos += 1; r = expr(q); l = {"+": l + r, "-": l - r, "*": l * r, "/": l / r if r else 0}[o]
        return l
    return expr()
assert ev("1+2*3-(4-1)*2") == 1; print(ev("2*(3+4)*5"), ev("10/4"), ev("-3+5"))
