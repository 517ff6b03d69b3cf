# Kernel memory behind names that do not exist.
import os, time
from probe import require_walls
require_walls()
end, n = time.monotonic() + 1.0, 0
while time.monotonic() < end:
    n += 1
    try:
        os.stat(f"/tmp/{n}-" + "x" * 200)
    except OSError:
        pass
print("CONTAINED", n > 0)
