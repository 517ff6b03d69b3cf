def outer():
    def inner(): pass
    return inner
class C:
    class D: pass
print(outer().__qualname__, outer().__module__, C.D, C.D.__qualname__, outer().__code__.co_filename, C().__class__)
