import weakref
class A: pass
a = A()
weakref.finalize(a, print, "finalized")
weakref.ref(a, lambda r: print("ref callback"))
r = weakref.ref(a, lambda r: print("kept ref callback"))
print("end")
