T = {("idle", "coin"): "ready", ("ready", "push"): "idle", ("ready", "coin"): "ready"}
s, n = "idle", 0
for e in "push coin coin push push coin push".split():
    new = T.get((s, e))
    if new is None: n += 1
    else: s = new
assert (s, n) == ("idle", 2); print(s, n)
