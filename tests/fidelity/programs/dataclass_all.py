from dataclasses import dataclass, field, asdict
from typing import ClassVar, get_type_hints
@dataclass(order=True, slots=True)
class A:
    x: int
    y: "list[int]" = field(default_factory=list)
    z: ClassVar[int] = 3
print(A(1), A(1) < A(2), asdict(A(1, [2])), get_type_hints(A))
try:
    A()
except TypeError as e:
    print(e)
