import sys, types
sys.modules["dateutil"] = types.ModuleType("dateutil")
del sys.modules["stat"]
import json
import numpy
print(sys.modules["dateutil"].__file__ if hasattr(sys.modules["dateutil"], "__file__") else "mine", "stat" in sys.modules, numpy.arange(3))
