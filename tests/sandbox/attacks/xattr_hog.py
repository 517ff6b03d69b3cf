# Extended attributes are memory of the kernel's that no size of a file shows.
import os
from probe import require_walls
require_walls()
total = 0
try:
    for n in range(100_000):
        path = f"/tmp/x{n}"
        open(path, "w").close()
        for k in range(100):
            os.setxattr(path, f"user.{k}", b"x" * 60_000)
            total += 60_000
except OSError as error:
    print("CONTAINED" if total < 512 << 20 else "LEAK:unbounded", total >> 20, "MiB", error.errno)
