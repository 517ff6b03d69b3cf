# Shared memory: anonymous mappings that several processes fill, each unmapping what it filled.
import mmap, os
from probe import require_walls
require_walls()
maps = []
for n in range(256):
    area = mmap.mmap(-1, 16 << 20)
    maps.append(area)
    pid = os.fork()
    if pid == 0:
        for at in range(0, 16 << 20, 4096):
            area[at] = 1
        os._exit(0)
    if os.waitpid(pid, 0)[1] != 0:
        print("CONTAINED", n)
        os._exit(4)
print("LEAK:4-GiB")
