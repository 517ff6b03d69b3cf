# A child that stays when main has ended; it does nothing.
import os, time
from probe import set_name
set_name("dcx-outlive")
if os.fork() == 0:
    for fd in (0, 1, 2):
        os.close(fd)
    time.sleep(600)
print("CONTAINED")
