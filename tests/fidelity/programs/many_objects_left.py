class A:
    def __init__(self, n):
        self.n = n
class B(A):
    def __del__(self):
        print("del", self.n)
many = [A(n) for n in range(20000)] + [B(7)]
