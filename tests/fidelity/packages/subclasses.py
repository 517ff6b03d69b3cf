import numpy as np, pandas as pd
class Array(np.ndarray):
    def __del__(self): print("array gone", self.shape)
class Frame(pd.DataFrame):
    pass
one = np.zeros(3).view(Array)
two = Frame({"a": [1]})
print(type(one[:2]).__name__, type(two).__name__)
