def f():
    raise KeyboardInterrupt("text")
f()
