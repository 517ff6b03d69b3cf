from functools import *
@singledispatch
def f(x): return "any"
@f.register
def _(x: int): return "int"
@f.register(list)
def _(x): return "list"
assert [f(1), f([]), f("")] == ["int", "list", "any"]; print(reduce(lambda a, b: a * b, range(1, 6)), partial(pow, 2)(5), sorted("bca", key=cmp_to_key(lambda a, b: ord(b) - ord(a))))
