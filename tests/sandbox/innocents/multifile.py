import os, sys, runpy, importlib
open("helper_mod.py", "w").write("VALUE = 5\ndef f(): return __file__\n"); import helper_mod; assert helper_mod.VALUE == 5 and helper_mod.f() == "/work/helper_mod.py"
os.makedirs("pkg"); open("pkg/__init__.py", "w").write("from .sub import x\n"); open("pkg/sub.py", "w").write("x = 9\n"); import pkg; assert pkg.x == 9
assert runpy.run_path("helper_mod.py")["VALUE"] == 5
assert sys.path[0] == "/work" and __file__ == "/work/main.py" and __name__ == "__main__"
import py_compile; py_compile.compile("helper_mod.py"); print("fine")
