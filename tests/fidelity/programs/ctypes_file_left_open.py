import ctypes, os
pid = os.fork()
if pid:
    os.waitpid(pid, 0)
    print(open("text").read())
else:
    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    libc.fputs(b"text", ctypes.c_void_p(libc.fopen(b"text", b"w")))
