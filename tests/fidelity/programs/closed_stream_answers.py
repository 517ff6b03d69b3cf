import io
class Raw:
    def readable(self): return True
    def seekable(self): return False
    @property
    def closed(self):
        print("asked")
        return True
b = io.BufferedReader(Raw())
print("end")
