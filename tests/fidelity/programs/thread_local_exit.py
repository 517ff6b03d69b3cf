import threading
class A:
    def __del__(self): print("local del")
l = threading.local(); l.a = A()
print("end")
