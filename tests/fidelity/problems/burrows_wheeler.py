def bwt(s): s += "\0"; return "".join(r[-1] for r in sorted(s[i:] + s[:i] for i in range(len(s))))
def inv(b):
    t = [""] * len(b)
    for _ in b: t = sorted(c + r for c, r in zip(b, t))
    return next(r for r in t if r.endswith("\0"))[:-1]
assert inv(bwt("mississippi")) == "mississippi"; print(repr(bwt("banana")))
