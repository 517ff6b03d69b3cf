# Memory behind memfds, never mapped.
import os
from probe import require_walls
require_walls()
piece, fds = b"x" * (1 << 20), []
try:
    for n in range(200):
        fd = os.memfd_create("hog")
        fds.append(fd)
        for _ in range(16):
            os.write(fd, piece)
except OSError as error:
    print("CONTAINED", error.errno, n)
else:
    print("LEAK:3-GiB")
