import numpy as np, weakref
a = np.ones(3)
class C(np.ndarray): pass
c = np.ones(2).view(C)
r = weakref.ref(c, lambda _: print("heard"))
print(c.sum())
