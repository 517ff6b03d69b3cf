# Leaves a heap of zombies, whole families of them.
import os
from probe import require_walls
require_walls()
made = 0
try:
    for _ in range(100):
        if os.fork() == 0:
            os._exit(0)
        made += 1
except OSError:
    pass
print("CONTAINED", made)
