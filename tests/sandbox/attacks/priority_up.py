# Takes more of the CPU than its share: nice, realtime, affinity, I/O priority, locked memory.
import ctypes, os
from probe import Probe, syscall
p = Probe()
nice = os.getpriority(os.PRIO_PROCESS, 0)
for value in (-20, -1, nice - 1):
    p.attempt(f"setpriority {value}", lambda: os.setpriority(os.PRIO_PROCESS, 0, value))
p.attempt("setpriority of the user", lambda: os.setpriority(os.PRIO_USER, 0, -5))
for name, policy in (("fifo", os.SCHED_FIFO), ("rr", os.SCHED_RR)):
    p.attempt(name, lambda: os.sched_setscheduler(0, policy, os.sched_param(1)))
attributes = (ctypes.c_ulonglong * 7)(48 | (6 << 32), 0, 0, 10_000_000, 30_000_000, 30_000_000, 0)
p.attempt("deadline", lambda: syscall(314, 0, attributes, 0), also=(22,))
cpus = os.sched_getaffinity(0)
try:
    os.sched_setaffinity(0, range(1024))
    p.holds("affinity not beyond the machine", len(os.sched_getaffinity(0)) <= (os.cpu_count() or 1))
except OSError as error:
    p.outcomes.append(f"affinity={error.errno}")
p.attempt("ioprio realtime", lambda: syscall(251, 1, 0, (1 << 13) | 0))
import mmap
libc = ctypes.CDLL(None, use_errno=True)
area = mmap.mmap(-1, 256 << 20)
address = ctypes.addressof(ctypes.c_char.from_buffer(area))
p.holds("256 MiB cannot be locked", libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(256 << 20)) != 0)
p.finish()
