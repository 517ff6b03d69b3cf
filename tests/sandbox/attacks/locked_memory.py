# Locks more memory than a program may.
import ctypes, mmap
libc = ctypes.CDLL(None, use_errno=True)
size = 4 << 20
area = mmap.mmap(-1, size)
address = ctypes.addressof(ctypes.c_char.from_buffer(area))
done = libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(size)) == 0
print("LEAK:locked" if done else "CONTAINED")
