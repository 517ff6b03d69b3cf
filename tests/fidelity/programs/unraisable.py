import sys
class A:
    def __del__(self):
        {}["missing"]
A()
print("goes on")
