import ctypes
libc = ctypes.CDLL(None)
print(libc.strlen(b"hello"), ctypes.sizeof(ctypes.c_long), libc.puts is not None)
