import sys
class A:
    def __del__(self):
        print("name", __name__, sys is not None, len is not None)
keep = A()
sys.keep = A()
