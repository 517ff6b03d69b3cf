import sys, numpy as np
def f():
    it = np.nditer(np.arange(6), [], [["readwrite", "updateifcopy", "aligned"]], op_dtypes=[float], casting="unsafe")
    raise ValueError("x")
f()
