def f(x: undefined_at_runtime_ok = 3): pass
