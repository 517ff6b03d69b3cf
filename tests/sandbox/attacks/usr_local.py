# Looks for what the host's administrator has put beside the system's own packages.
import os
from probe import Probe
p = Probe()
for folder in ("/usr/local", "/usr/src"):
    if os.path.isdir(folder):
        p.holds(f"nothing in {folder}", not os.listdir(folder), ",".join(os.listdir(folder)[:3]))
p.finish()
