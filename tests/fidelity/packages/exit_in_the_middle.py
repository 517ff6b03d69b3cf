import sys
import numpy as np
class Loud:
    def __del__(self): print("gone")
loud = Loud()
np.seterr(all="raise")
try:
    np.array([1.0]) / 0
except FloatingPointError as error:
    print(error)
sys.exit(3)
