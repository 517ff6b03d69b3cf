def f():
    class Local(Exception): pass
    raise Local("qualified name")
f()
