# Counts what it inherited: 0, 1, 2, and none of them a socket, a file or a way back.
import fcntl, os, stat
from probe import Probe
p = Probe()
fds = []
for fd in range(0, 4096):
    try:
        os.fstat(fd)
        fds.append(fd)
    except OSError:
        pass
p.holds("only 0, 1, 2", fds == [0, 1, 2], str(fds))
for fd in (0, 1, 2):
    mode = os.fstat(fd).st_mode
    p.holds(f"{fd} is a pipe or null", stat.S_ISFIFO(mode) or stat.S_ISCHR(mode), oct(mode))
    target = os.readlink(f"/proc/self/fd/{fd}")
    p.holds(f"{fd} names no host path", target.startswith("pipe:") or target == "/dev/null", target)
for fd, flag in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
    p.holds(f"{fd} is one-way", fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == flag)
for pid in (name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()):
    for fd in range(64):
        p.attempt(f"/proc/{pid}/fd/{fd}", lambda: os.open(f"/proc/{pid}/fd/{fd}", os.O_RDONLY | os.O_NONBLOCK))
p.finish()
