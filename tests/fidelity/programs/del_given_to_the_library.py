import fractions, functools
fractions.Fraction.__del__ = staticmethod(functools.partial(print, "del"))
half = fractions.Fraction(1, 2)
