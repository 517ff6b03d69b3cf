def f():
    f()
try:
    f()
except RecursionError as e:
    print("caught", e)
import sys
print(sys.getrecursionlimit())
