import os
open("cached_mod.py", "w").write("x = 1\n")
import cached_mod
print(os.path.exists("__pycache__"), cached_mod.__cached__)
