import atexit, numpy as np
def bye(a=np.arange(3)): print("bye", a)
atexit.register(bye)
rng = np.random.default_rng(1)
print(rng.integers(10), np.random.RandomState(3).rand())
