import pandas, sys
print([n for n in sys.modules if n.startswith(("numpy.ra", "pandas.io.f"))][:5], len(sys.modules) > 200)
print(list(sys.modules).index("pandas") > 0, sys.modules["pandas"] is pandas, pandas.__spec__.name, pandas.__loader__ is pandas.__spec__.loader)
import pandas.io.json, pandas.plotting
print(pandas.io.json.__name__)
