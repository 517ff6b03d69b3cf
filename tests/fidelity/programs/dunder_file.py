import sys, os
print(__file__, __name__, __doc__, __package__, __spec__, sorted(k for k in globals()))
print(type(__loader__).__name__, __builtins__ is __import__("builtins"))
print(sys.modules["__main__"].__dict__ is globals(), os.path.dirname(__file__))
