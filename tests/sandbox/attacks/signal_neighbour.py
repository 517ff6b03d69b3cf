# Looks for a neighbour's process and kills it. argv[1]: its name; with argv[2], be it and wait.
import os, signal, sys, time
from probe import Probe, set_name
if len(sys.argv) > 2:
    set_name(sys.argv[1])
    print("READY", flush=True)
    time.sleep(60)
p = Probe()
for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
    try:
        name = open(f"/proc/{pid}/comm").read().strip()
    except OSError:
        continue
    if name == sys.argv[1]:
        p.outcomes.append("seen")
        p.attempt("kill", os.kill, pid, signal.SIGKILL)
p.finish()
