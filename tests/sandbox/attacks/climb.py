# Climbs above "/" to where the host's root lay. argv[1]: a file that only the host has.
import os, sys
from probe import Probe
p = Probe()
for steps in range(1, 6):
    p.attempt(f"{steps} up", lambda: os.open("/.." * steps + sys.argv[1], os.O_RDONLY))
p.finish()
