def ok(s): return sum((10 - i) * (10 if c == "X" else int(c)) for i, c in enumerate(s)) % 11 == 0
assert ok("0306406152") and ok("080442957X"); print(ok("0306406153"))
