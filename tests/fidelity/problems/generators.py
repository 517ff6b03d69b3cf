def count():
    n = 0
    while True:
        r = yield n
        n = r if r is not None else n + 1
g = count(); a = [next(g), next(g), g.send(10), next(g)]; g.close()
def flat(x): yield from (z for y in x for z in flat(y)) if isinstance(x, list) else [x]
assert a == [0, 1, 10, 11] and list(flat([1, [2, [3, []]], 4])) == [1, 2, 3, 4]; print(a)
