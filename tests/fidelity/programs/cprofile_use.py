import cProfile, pstats, io
def f(): return sum(range(10))
p = cProfile.Profile(); p.runcall(f)
s = io.StringIO(); pstats.Stats(p, stream=s).strip_dirs().sort_stats("name").print_stats("f")
print("main.py" in s.getvalue())
