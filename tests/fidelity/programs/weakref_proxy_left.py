import sys, weakref
class A:
    pass
a = A()
sys.p = weakref.proxy(a, print)
