# Kills everything it may kill, its parent and its process group included.
import os, signal
from probe import require_walls
require_walls()
print("CONTAINED", flush=True)
child = os.fork()
if child == 0:
    os.setsid()
    parent = os.getppid()
    for target in (parent, 1):
        if target > 0:
            try:
                os.kill(target, signal.SIGKILL)
            except OSError:
                pass
    os.kill(-1, signal.SIGKILL)
    os._exit(0)
os.waitpid(child, 0)
os.kill(0, signal.SIGKILL)
