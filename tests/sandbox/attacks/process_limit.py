# Counts how many processes it gets: at most the limit, then it fails with what it got.
import os, sys
from probe import require_walls
require_walls()
read, write = os.pipe()
made = 1
try:
    while made < 5000:
        if os.fork() == 0:
            os.close(write)
            os.read(read, 1)
            os._exit(0)
        made += 1
except OSError as error:
    print("REFUSED", error.errno, made, flush=True)
    os.close(write)
    sys.exit(3)
print("LEAK:no-bound")
