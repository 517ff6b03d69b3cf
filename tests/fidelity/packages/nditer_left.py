import numpy as np
a = np.arange(6)
it = np.nditer(a, [], [["readwrite", "updateifcopy", "aligned"]], op_dtypes=[float], casting="unsafe")
held = it.operands
print("left")
