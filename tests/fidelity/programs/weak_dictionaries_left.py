import sys, weakref
class Reference(weakref.ref):
    pass
class A:
    pass
a = A()
sys.r = Reference(a, print)
sys.values = weakref.WeakValueDictionary(a=a)
