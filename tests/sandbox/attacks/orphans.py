# Orphans that end, one after another: pid 1 must not keep what is left of them.
import os, signal
from probe import require_walls
require_walls()
made = 0
try:
    for _ in range(100):
        pid = os.fork()
        if pid == 0:
            r, w = os.pipe()
            if os.fork() == 0:
                os.close(w)
                os.read(r, 1)
            os._exit(0)
        os.waitpid(pid, 0)
        made += 1
except OSError as error:
    print("LEAK:orphans stay", error.errno, made)
else:
    print("CONTAINED", made)
