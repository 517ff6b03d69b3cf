import sys, threading, builtins, signal
print(sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__, sys.unraisablehook is sys.__unraisablehook__, threading.excepthook is threading.__excepthook__, sys.gettrace(), sys.getprofile(), sys.breakpointhook is sys.__breakpointhook__)
print(len(sys.path_hooks), hasattr(sys, "ps1"), hasattr(sys, "last_value"), sys.getswitchinterval())
