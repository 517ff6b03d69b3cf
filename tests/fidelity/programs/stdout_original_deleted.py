import sys
del sys.__stdout__
print("end")
