import enum, typing
class C(enum.Enum):
    A = 1
print(C.A, repr(C.A), C["A"], list(C), typing.get_type_hints(lambda: 0))
