from functools import total_ordering
@total_ordering
class V:
    def __init__(s, *x): s.x = x
    def __add__(s, o): return V(*map(sum, zip(s.x, o.x)))
    def __mul__(s, k): return V(*(a * k for a in s.x))
    __rmul__ = __mul__
    def __eq__(s, o): return s.x == o.x
    def __lt__(s, o): return s.x < o.x
    def __repr__(s): return f"V{s.x}"
    def __matmul__(s, o): return sum(a * b for a, b in zip(s.x, o.x))
    def __getitem__(s, i): return s.x[i]
    def __len__(s): return len(s.x)
    def __bool__(s): return any(s.x)
assert V(1, 2) + 2 * V(3, 4) == V(7, 10) and V(1, 2) @ V(3, 4) == 11; print(sorted([V(2, 1), V(1, 9)]), list(V(1, 2)), bool(V(0)))
