import sys
def hook(kind, value, trace):
    raise TypeError("hook failed")
sys.excepthook = hook
raise ValueError("mine")
