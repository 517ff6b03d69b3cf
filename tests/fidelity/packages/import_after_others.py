import json, resource, colorsys
import pandas as pd
import sys
print(sys.modules["json"] is json, sys.modules["resource"] is resource, "numpy" in sys.modules)
print(pd.DataFrame({"a": [1, 2]}).to_json())
