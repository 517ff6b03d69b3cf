from typing import *
@runtime_checkable
class Q(Protocol):
    def quack(self) -> str: ...
class D:
    def quack(self): return "q"
T = TypeVar("T")
class Box(Generic[T]):
    def __init__(self, v: T): self.v = v
class M(TypedDict, total=False):
    a: int
assert isinstance(D(), Q) and not isinstance(1, Q); print(Box[int](3).v, M(a=1), get_origin(list[int]), get_args(dict[str, int]), Literal[1, 2])
