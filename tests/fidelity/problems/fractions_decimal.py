from fractions import Fraction as F; from decimal import *
assert sum(F(1, n) for n in range(1, 11)) == F(7381, 2520); getcontext().prec = 30
print(F("0.125"), F(3.5).limit_denominator(), Decimal(2).sqrt(), Decimal("1.10") + Decimal("2.20"), Decimal("2.675").quantize(Decimal(".01"), ROUND_HALF_UP))
