from itertools import cycle
v = lambda s, k, d=1: "".join(chr((ord(a) - 65 + d * (ord(b) - 65)) % 26 + 65) for a, b in zip(s, cycle(k)))
assert v("ATTACKATDAWN", "LEMON") == "LXFOPVEFRNHR"; print(v(v("HELLO", "KEY"), "KEY", -1))
