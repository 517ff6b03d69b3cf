# Stays until it is killed, with a child that does too.
import os, time
from probe import set_name
set_name("dcx-linger")
os.fork()
print("READY", flush=True)
time.sleep(600)
