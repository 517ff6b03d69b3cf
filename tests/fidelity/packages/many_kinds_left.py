import pandas as pd
s = pd.Series(["a", "b", None], dtype="category")
idx = pd.MultiIndex.from_product([[1, 2], ["x", "y"]])
t = pd.Timestamp("2020-01-01"); p = pd.period_range("2020", periods=3, freq="M"); iv = pd.interval_range(0, 4)
g = pd.DataFrame({"k": [1, 1, 2], "v": [3, 4, 5]}).groupby("k")
gen = (n for n, _ in g); next(gen)
print(s, idx, t, p, iv, sep="\n")
