import itertools
enc = lambda s: "".join(f"{len(list(g))}{k}" for k, g in itertools.groupby(s))
import re
dec = lambda s: "".join(c * int(n) for n, c in re.findall(r"(\d+)(\D)", s))
s = "WWWWBBBWWC"; assert dec(enc(s)) == s; print(enc(s))
