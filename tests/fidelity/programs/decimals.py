from decimal import *
from fractions import Fraction
getcontext().prec=60; print(Decimal(2).sqrt(),Decimal(1)/7,getcontext())
print(Fraction(1,3)+Fraction(1,6), Decimal("1.10").quantize(Decimal(".1"),ROUND_HALF_EVEN))
try: Decimal(1)/0
except DivisionByZero as e: print(repr(e))
