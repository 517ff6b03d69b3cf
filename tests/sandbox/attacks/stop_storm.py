# Children that stop, continue and stop each other while main ends.
import os, signal, time
from probe import require_walls, set_name
require_walls()
set_name("dcx-storm")
children = []
for _ in range(12):
    pid = os.fork()
    if pid == 0:
        os.setsid()
        while True:
            for other in children:
                for number in (signal.SIGSTOP, signal.SIGCONT):
                    try:
                        os.kill(other, number)
                    except OSError:
                        pass
    children.append(pid)
for pid in children:
    os.kill(pid, signal.SIGSTOP)
print("CONTAINED", flush=True)
os._exit(0)
