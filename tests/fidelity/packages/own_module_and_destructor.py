import sys, types
sys.modules["mine"] = types.ModuleType("mine")
del sys.modules["stat"]
import numpy as np
class Loud:
    def __del__(self): print("gone")
a = np.empty(2, dtype=object); a[0] = Loud()
print(a.shape)
