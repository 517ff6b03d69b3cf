import pandas as pd, numpy as np
df = pd.DataFrame({"a": range(5)})
print(df.loc[7])
