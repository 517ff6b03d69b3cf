open("bad_mod.py", "w").write("x = \n")
import bad_mod
