import math
assert sum(map(int, str(math.factorial(100)))) == 648; print(math.factorial(60))
