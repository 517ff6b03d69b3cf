import sys
sys.breakpointhook = lambda *a, **k: print("hook", a)
breakpoint(1)
