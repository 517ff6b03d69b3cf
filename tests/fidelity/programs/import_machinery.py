import sys, importlib.util
print("json" in sys.builtin_module_names, importlib.util.find_spec("no_such_module"))
import no_such_module
