import ctypes,mmap,os
l=ctypes.CDLL(None); print(l.abs(-3),ctypes.CDLL("libm.so.6").cos); m=ctypes.CDLL("libm.so.6"); m.cos.restype=ctypes.c_double; m.cos.argtypes=[ctypes.c_double]; print(m.cos(0))
CMP=ctypes.CFUNCTYPE(ctypes.c_int,ctypes.POINTER(ctypes.c_int),ctypes.POINTER(ctypes.c_int)); a=(ctypes.c_int*5)(5,1,4,2,3); l.qsort(a,5,4,CMP(lambda x,y:x[0]-y[0])); print(list(a))
m=mmap.mmap(-1,4096); m[:5]=b"hello"; print(m[:5],m.find(b"l"))
open("f","wb").write(b"x"*8192)
with open("f","r+b") as f, mmap.mmap(f.fileno(),0) as m: m[0]=65; m.flush(); m.madvise(mmap.MADV_SEQUENTIAL)
print(open("f","rb").read(2))
pid=os.fork() if False else None
x=mmap.mmap(-1,4096,prot=mmap.PROT_READ|mmap.PROT_WRITE|mmap.PROT_EXEC); x[:6]=b"\xb8\x2a\0\0\0\xc3"; f=ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(x))); print(f())
