def sx(w):
    m = {c: str(i + 1) for i, g in enumerate("bfpv cgjkqsxz dt l mn r".split()) for c in g}; o, last = w[0].upper(), m.get(w[0].lower())
    for c in w[1:].lower():
        d = m.get(c)
        if d and d != last: o += d
        if c not in "hw": last = d
    return (o + "000")[:4]
assert sx("Robert") == sx("Rupert") == "R163"; print(sx("Ashcraft"), sx("Tymczak"))
