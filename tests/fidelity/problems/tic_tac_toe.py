from functools import cache
L = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]
@cache
def play(b, p):
    if any(b[x] == b[y] == b[z] != "." for x, y, z in L): return -1
    if "." not in b: return 0
    return max(-play(b[:i] + p + b[i + 1:], "xo"[p == "x"]) for i in range(9) if b[i] == ".")
assert play("." * 9, "x") == 0; print(play.cache_info().misses)
