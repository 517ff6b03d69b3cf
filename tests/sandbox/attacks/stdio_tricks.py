# Opens its own pipes the other way round, enlarges them, makes them non-blocking, and signals on them.
import fcntl, os
from probe import Probe
p = Probe()
for path, mode in (("/proc/self/fd/1", os.O_RDONLY), ("/proc/self/fd/0", os.O_WRONLY), ("/proc/self/fd/2", os.O_RDWR)):
    try:
        fd = os.open(path, mode | os.O_NONBLOCK)
        p.outcomes.append(f"{path} opened")
        os.set_blocking(fd, False)
    except OSError as error:
        p.outcomes.append(f"{path}={error.errno}")
for fd in (0, 1, 2):
    for name, action in (("size", lambda: fcntl.fcntl(fd, 1031, 1 << 20)), ("nonblock", lambda: os.set_blocking(fd, False)), ("async", lambda: fcntl.fcntl(fd, fcntl.F_SETFL, os.O_ASYNC)), ("owner", lambda: fcntl.fcntl(fd, fcntl.F_SETOWN, 1)), ("sig", lambda: fcntl.fcntl(fd, 10, 9)), ("chmod", lambda: os.fchmod(fd, 0)), ("lease", lambda: fcntl.fcntl(fd, 1024, 1)), ("notify", lambda: fcntl.fcntl(fd, 1026, 1))):
        try:
            action()
        except OSError as error:
            p.outcomes.append(f"{name} {fd}={error.errno}")
for fd in (0, 1, 2):
    os.set_blocking(fd, True)
p.finish()
