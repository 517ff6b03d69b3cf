# Closes all its descriptors and lingers: the wall limit still ends it.
import os, time
os.closerange(0, 4096)
time.sleep(600)
