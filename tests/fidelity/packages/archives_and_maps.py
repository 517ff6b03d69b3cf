import numpy as np
np.savez("x.npz", a=np.arange(3), b=np.ones(2))
z = np.load("x.npz")
print(z["a"])
m = np.memmap("m.bin", dtype="u1", mode="w+", shape=(10,))
m[:] = 7
print(m.sum())
