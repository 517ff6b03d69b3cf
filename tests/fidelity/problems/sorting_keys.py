a = [("b", 2), ("a", 2), ("c", 1)]
assert sorted(a, key=lambda t: (-t[1], t[0])) == [("a", 2), ("b", 2), ("c", 1)]; print(sorted("Banana apple Cherry".split(), key=str.lower, reverse=True), min(a), max(a, key=lambda t: t[1]))
