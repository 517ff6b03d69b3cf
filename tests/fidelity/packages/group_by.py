import pandas as pd
frame = pd.DataFrame({"key": list("abcd") * 25, "value": range(100)})
print(frame.groupby("key")["value"].sum())
print(frame.describe())
