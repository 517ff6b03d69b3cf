import sys, types
open("mod_x.py", "w").write("def f():\n    raise LookupError('from a module')\n")
import mod_x
mod_x.f()
