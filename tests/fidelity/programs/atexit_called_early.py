import atexit
atexit.register(print, "at exit")
del __file__
atexit._run_exitfuncs()
print("goes on")
