# The same from Python: lowers its score, then runs small children that fill files.
import os, subprocess
from probe import require_walls
require_walls()
for score in ("-1000", "-1", "0", "1", "500"):
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write(score)
        break
    except OSError:
        pass
os.execv("/bin/sh", ["sh", "-c", "for place in /dev/shm /tmp /work; do head -c 4000000000 /dev/zero > $place/hog; done; echo CONTAINED"])
