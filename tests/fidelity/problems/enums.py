from enum import *
class C(IntFlag):
    R = auto(); W = auto(); X = auto()
class S(StrEnum):
    A = auto()
assert C.R | C.X == 5 and C(3) == C.R | C.W; print(list(C), S.A, C.R in C(5), [m.name for m in C(6)])
