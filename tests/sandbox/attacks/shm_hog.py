# Fills /dev/shm and the other tmpfs together, from several processes.
import os
from probe import require_walls
require_walls()
piece, total = b"x" * (1 << 20), 0
for place in ("/dev/shm", "/tmp", "/work"):
    try:
        for n in range(4096):
            with open(f"{place}/hog{n}", "wb", buffering=0) as file:
                total += file.write(piece)
    except OSError:
        pass
print("LEAK:no-bound" if total > 1 << 30 else "CONTAINED", total >> 20)
