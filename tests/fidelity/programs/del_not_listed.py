# An instance that can refer to nothing is none that the garbage collector lists.
class A:
    __slots__ = ()
    def __del__(self):
        print("del")
a = A()
