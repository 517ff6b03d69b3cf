from fractions import Fraction as F
def eg(f):
    o = []
    while f: d = -(-f.denominator // f.numerator); o.append(d); f -= F(1, d)
    return o
assert eg(F(7, 15)) == [3, 8, 120]; print(eg(F(5, 121)))
