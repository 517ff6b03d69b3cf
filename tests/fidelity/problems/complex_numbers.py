import cmath
z = 3 + 4j; assert abs(z) == 5 and z.conjugate() * z == 25; print(z ** 2, cmath.sqrt(-1), cmath.polar(1j), [complex(round(x.real, 6), round(x.imag, 6)) for x in (cmath.exp(2j * cmath.pi * k / 4) for k in range(4))])
