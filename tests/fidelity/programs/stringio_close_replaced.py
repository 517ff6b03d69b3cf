import io
s = io.StringIO("x")
s.close = lambda: print("close")
print("end")
