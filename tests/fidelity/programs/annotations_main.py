import typing
x: typing.Final = 3
def f(a: "int") -> "str": ...
print(f.__annotations__, typing.get_type_hints(f), __annotations__)
