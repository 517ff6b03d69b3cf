# Double fork and setsid: a daemon that outlives main and ignores every signal.
import os, time
from probe import ignore_all_signals, require_walls, set_name
require_walls()
set_name("dcx-daemon")
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        ignore_all_signals()
        for fd in (0, 1, 2):
            os.close(fd)
        while True:
            time.sleep(1)
    os._exit(0)
os.wait()
print("CONTAINED")
