from functools import cache
D = {"cat", "cats", "and", "sand", "dog"}
@cache
def wb(s): return [[]] if not s else [[w] + r for w in sorted(D) if s.startswith(w) for r in wb(s[len(w):])]
assert len(wb("catsanddog")) == 2; print([" ".join(x) for x in wb("catsanddog")])
