import pandas as pd
class Loud:
    def __init__(self, n): self.n = n
    def __del__(self): print("gone", self.n)
frame = pd.DataFrame({"k": [Loud(1), Loud(2)], "v": [1, 2]})
print(len(frame))
