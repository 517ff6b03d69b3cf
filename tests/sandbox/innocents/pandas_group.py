try:
    import pandas as pd
except ImportError:
    print("fine")
else:
    d = pd.DataFrame({"k": list("abab"), "v": [1, 2, 3, 4]}); assert d.groupby("k").v.sum().tolist() == [4, 6]; d.to_csv("/tmp/x.csv"); assert len(pd.read_csv("/tmp/x.csv")) == 4
    print("fine")
