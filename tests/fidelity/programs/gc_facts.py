import gc
print(gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.get_freeze_count() >= 0, gc.garbage)
class A: pass
a = A(); a.a = a; del a
print(gc.collect() >= 1)
