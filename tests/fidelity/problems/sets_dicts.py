a, b = {1, 2, 3}, {3, 4}
assert a ^ b == {1, 2, 4} and a - b == {1, 2}; d = {"x": 1} | {"y": 2}; d |= {"z": 3}
print({v: k for k, v in d.items()}, d.pop("x"), d.setdefault("q", []), list(d), frozenset([1]) in {frozenset([1])}, sorted(a & b))
