# Main waits asleep while orphans in sessions of their own burn.
import os, time
from probe import set_name
set_name("dcx-orphans")
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                pass
        os._exit(0)
    os.wait()
time.sleep(60)
