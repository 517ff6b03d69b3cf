class A:
    def __buffer__(self, flags):
        return memoryview(b"abc")
    def __release_buffer__(self, view):
        print("released")
try:
    m = memoryview(A())
    print(bytes(m))
except TypeError:
    print("before Python 3.12")
