import gc
class A:
    def __del__(self):
        print("collected")
a = A(); a.me = a
del a
print("end")
