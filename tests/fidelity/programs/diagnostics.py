import traceback,sys,warnings,faulthandler,tracemalloc,gc,weakref
class E(Exception): pass
def g(x): raise E(x) from ValueError("inner")
try: g([1])
except E: traceback.print_exc(); print(traceback.format_exc())
warnings.warn("dep",DeprecationWarning); warnings.warn("user")
tracemalloc.start(); x=[bytes(1000) for _ in range(100)]; print(tracemalloc.get_traced_memory()[0]>100000, tracemalloc.take_snapshot().statistics("filename")[0].traceback)
class C: pass
c=C(); w=weakref.ref(c,lambda r:print("dead")); del c; print(w())
a=[]; a.append(a); del a; print(gc.collect()>=1, gc.isenabled(), gc.get_threshold())
faulthandler.dump_traceback(file=sys.stdout)
try: raise ExceptionGroup("eg",[ValueError(1),TypeError(2)])
except* ValueError as e: print(e.exceptions)
except* TypeError as e: print(e.exceptions)
def h(): yield from h2()
def h2(): yield 1; raise RuntimeError("gen")
for i in h(): print(i)
