# The file that the heap of every warm program is mapped from: its content, to be read or changed.
import ctypes
import mmap
import os
from probe import Probe
p = Probe()
libc = ctypes.CDLL(None, use_errno=True)
libc.mremap.restype = ctypes.c_long
libc.mremap.argtypes = (ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int)
for line in open("/proc/self/maps"):
    where, rights, offset, device, inode, *name = line.split()
    if not name or not name[0].startswith("/memfd:"):
        continue
    p.outcomes.append(line.strip())
    for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
        try:
            p.leaks.append(f"open {where}: {os.open('/proc/self/map_files/' + where, flags)}")
        except OSError as error:
            p.outcomes.append(str(error))
    first, last = (int(end, 16) for end in where.split("-"))
    # Old size 0 maps the same pages once more, which only shared mappings allow.
    if libc.mremap(first, 0, mmap.PAGESIZE, 1) > 0:
        p.leaks.append(f"mapped {where} once more")
if not p.outcomes:
    p.leaks.append("no heap in a file: nothing was tried")
p.finish()
