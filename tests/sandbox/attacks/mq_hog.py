# POSIX message queues outlive the process and hold kernel memory.
import ctypes, os
from probe import require_walls
require_walls()
rt = ctypes.CDLL("librt.so.1", use_errno=True)
made = 0
for n in range(2000):
    q = rt.mq_open(f"/hog{n}".encode(), os.O_CREAT | os.O_RDWR | os.O_NONBLOCK, 0o600, None)
    if q < 0:
        break
    made += 1
    while rt.mq_send(q, b"x" * 8192, 8192, 0) == 0:
        pass
print("CONTAINED" if made < 2000 else "LEAK:no-bound", made)
