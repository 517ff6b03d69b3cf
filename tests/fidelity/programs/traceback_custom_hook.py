import sys
def hook(kind, value, trace):
    print("hooked", kind.__name__, value, file=sys.stderr)
sys.excepthook = hook
raise ValueError("mine")
