# Looks for what leave_everything.py left, or is doing now in another sandbox.
import ctypes, fcntl, os, socket, struct
from probe import Probe
p = Probe()
libc = ctypes.CDLL(None, use_errno=True)
for place in ("/work", "/tmp", "/dev/shm", "/var/tmp"):
    try:
        names = [n for n in os.listdir(place) if "dcodex-left" in n]
    except OSError:
        names = []
    p.holds(f"nothing in {place}", not names)
    if place in ("/tmp", "/dev/shm"):
        p.holds(f"{place} is empty", not os.listdir(place), ",".join(os.listdir(place)[:3]))
p.holds("no sysv shm", libc.shmget(0xDC0DE, 0, 0) < 0)
p.holds("no sysv sem", libc.semget(0xDC0DE, 0, 0) < 0)
p.holds("no sysv msg", libc.msgget(0xDC0DE, 0) < 0)
p.holds("no mq", ctypes.CDLL("librt.so.1").mq_open(b"/dcodex-left", os.O_RDONLY) < 0)
p.holds("no key", libc.syscall(249, b"user", b"dcodex-left", 0, 0) < 0)
for name, family, address in (("abstract", socket.AF_UNIX, "\0dcodex-left"), ("tcp", socket.AF_INET, ("127.0.0.1", 18080))):
    s = socket.socket(family)
    p.attempt(f"connect {name}", s.connect, address, also=(111,))
    s = socket.socket(family)
    if family == socket.AF_INET:
        address = ("0.0.0.0", 18080)
    try:
        s.bind(address)
        p.outcomes.append(f"bind {name}=own")
    except OSError as error:
        p.leaks.append(f"bind {name}({error.errno})")
for path in ("/usr/bin/env", "/usr/lib/os-release", "/etc/passwd", "/usr/bin", "/usr", "/", "/dev/null", "/dev/urandom", "/dev/zero", "/proc/cpuinfo", "/proc/sys"):
    if not os.path.exists(path):
        continue
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        p.leaks.append(f"flock on {path} seen")
    except OSError:
        pass
    try:
        answer = fcntl.fcntl(fd, fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        if struct.unpack("hhqqi4x", answer)[0] != fcntl.F_UNLCK:
            p.leaks.append(f"posix lock on {path} seen")
    except OSError:
        pass
    os.close(fd)
for pid in (n for n in os.listdir("/proc") if n.isdigit()):
    try:
        p.holds("no process of theirs", "dcx-left" not in open(f"/proc/{pid}/comm").read())
    except OSError:
        pass
p.finish()
