# Leaves something of every kind behind; leave_found.py looks for it afterwards, or meanwhile.
# argv[1]: seconds to stay.
import ctypes, fcntl, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
left = []
def try_(name, action):
    try:
        action()
        left.append(name)
    except OSError:
        pass
def check(value):
    if value < 0:
        raise OSError(ctypes.get_errno(), "x")
    return value
def write(path):
    with open(path, "w") as file:
        file.write("dcodex-secret")
for place in ("/work", "/tmp", "/dev/shm", "/var/tmp"):
    try_(place, lambda: write(f"{place}/dcodex-left"))
try_("sysv shm", lambda: check(libc.shmget(0xDC0DE, 4096, 0o1666)))
try_("sysv sem", lambda: check(libc.semget(0xDC0DE, 1, 0o1666)))
try_("sysv msg", lambda: check(libc.msgget(0xDC0DE, 0o1666)))
try_("mq", lambda: check(ctypes.CDLL("librt.so.1", use_errno=True).mq_open(b"/dcodex-left", os.O_CREAT | os.O_RDWR, 0o666, None)))
try_("posix sem", lambda: write("/dev/shm/sem.dcodex-left"))
try_("key", lambda: check(libc.syscall(248, b"user", b"dcodex-left", b"secret", 6, -4)))
abstract = socket.socket(socket.AF_UNIX)
try_("abstract", lambda: (abstract.bind("\0dcodex-left"), abstract.listen()))
tcp = socket.socket()
tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try_("tcp", lambda: (tcp.bind(("0.0.0.0", 18080)), tcp.listen()))
locked = [path for path in ("/usr/bin/env", "/usr/lib/os-release", "/etc/passwd", "/usr/bin", "/usr", "/", "/dev/null", "/dev/urandom", "/dev/zero", "/proc/cpuinfo", "/proc/sys") if os.path.exists(path)]
held = []
for path in locked:
    fd = os.open(path, os.O_RDONLY)
    held.append(fd)
    try_(f"flock {path}", lambda: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB))
    try_(f"posix lock {path}", lambda: fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB))
    try_(f"lease {path}", lambda: fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK))
libc.prctl(15, b"dcx-left\0", 0, 0, 0)
print("READY", ",".join(left), flush=True)
time.sleep(float(sys.argv[1]))
