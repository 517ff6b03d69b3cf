# Memory that this process shares with whoever forked it, and code of others to be changed there.
import ctypes
from probe import Probe
p = Probe()
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = (ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int)
shared = []
for line in open("/proc/self/maps"):
    where, rights, *_ = line.split()
    if rights[3] != "s":
        continue
    first, last = (int(end, 16) for end in where.split("-"))
    shared.append(line.strip())
    if libc.mprotect(first, last - first, 3) == 0:
        ctypes.memset(first, ctypes.string_at(first, 1)[0], 1)
        p.leaks.append(f"write to {where}")
p.outcomes += shared
p.finish()
