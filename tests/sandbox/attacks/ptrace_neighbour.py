# Traces, reads and steers every process id there is, its own children apart.
import os
from probe import Probe, shares_memory, syscall
p = Probe()
me = os.getpid()
for pid in list(range(1, 64)) + [100, 500, 1000, 2000, 5000, 10000]:
    if pid == me or shares_memory(pid):
        continue
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        continue
    except PermissionError:
        p.outcomes.append(f"sees {pid}")
    p.attempt(f"attach {pid}", lambda: syscall(101, 16, pid, 0, 0))
    p.attempt(f"seize {pid}", lambda: syscall(101, 0x4206, pid, 0, 0))
    p.attempt(f"mem {pid}", lambda: os.open(f"/proc/{pid}/mem", os.O_RDONLY))
p.finish()
