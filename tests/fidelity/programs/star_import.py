from math import *
print(floor(2.5), sorted(k for k in globals() if k.startswith("is")))
