import ctypes
print("python")
libc = ctypes.CDLL(None)
libc.puts(b"from libc")
print("python again")
