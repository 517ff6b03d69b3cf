# Watches shared read-only files for a neighbour's use of them (inotify, dnotify, atime).
import ctypes, fcntl, os, select, signal, time
from probe import Probe
p = Probe()
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
watched = 0
for path in (b"/usr/bin/env", b"/usr/bin", b"/etc", b"/usr/share/zoneinfo", b"/usr/lib/os-release", b"/dev/null", b"/dev/urandom", b"/dev", b"/", b"/proc"):
    if fd >= 0 and libc.inotify_add_watch(fd, path, 0x00000FFF) >= 0:
        watched += 1
print("READY", flush=True)
seen = False
if fd >= 0:
    end = time.monotonic() + 1.5
    while not seen and time.monotonic() < end:
        seen = bool(select.select([fd], [], [], 0.1)[0])
p.holds("no event of others", not seen, f"{watched} watches")
p.finish()
