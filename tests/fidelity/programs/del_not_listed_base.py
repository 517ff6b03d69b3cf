class A(int):
    __slots__ = ()
    def __del__(self):
        print("del", self + 1)
class B(A):
    __slots__ = ()
b = B(3)
