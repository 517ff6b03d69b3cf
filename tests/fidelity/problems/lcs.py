from functools import cache
@cache
def lcs(a, b): return "" if not a or not b else lcs(a[1:], b[1:]).join((a[0], "")) if a[0] == b[0] else max(lcs(a[1:], b), lcs(a, b[1:]), key=len)
assert lcs("ABCBDAB", "BDCABA") in ("BCBA", "BDAB", "BCAB"); print(len(lcs("AGGTABQWERTY", "GXTXAYBQETY")))
