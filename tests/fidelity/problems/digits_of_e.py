from decimal import Decimal, getcontext
getcontext().prec = 50; e, t = Decimal(0), Decimal(1)
for k in range(1, 50): e += t; t /= k
assert str(e).startswith("2.718281828459045235360287"); print(str(e)[:45])
