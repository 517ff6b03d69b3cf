import runpy
open("prog.py", "w").write("import sys\nprint(__name__, sys.argv, __file__)\n1/0\n")
runpy.run_path("prog.py", run_name="__main__")
