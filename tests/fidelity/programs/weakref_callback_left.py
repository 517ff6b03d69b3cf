import sys, weakref
class A:
    pass
a = A()
sys.r = weakref.ref(a, print)
