# Exits with failure while a background child holds stdout: the verdict is main's.
import os, sys, time
from probe import set_name
set_name("dcx-holder")
if os.fork() == 0:
    time.sleep(600)
print("CONTAINED", flush=True)
os._exit(7)
