open(__file__, "w").write("# replaced\n" * 10)
def f():
    raise ValueError("source is gone")
f()
