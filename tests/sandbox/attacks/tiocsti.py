# Types into a terminal that is not its own.
import fcntl, os
from probe import Probe
p = Probe()
def push(fd, code=0x5412, data=b"x"):
    fcntl.ioctl(fd, code, data)
for fd in (0, 1, 2):
    p.attempt(f"TIOCSTI on {fd}", push, fd, also=(25,))
    p.attempt(f"TIOCLINUX on {fd}", push, fd, 0x541C, b"\x02", also=(25,))
for path in ("/dev/tty", "/dev/console", "/dev/tty1", "/dev/pts/0"):
    p.attempt(f"{path}", lambda: push(os.open(path, os.O_RDWR | os.O_NOCTTY)))
try:
    master, slave = os.openpty()
except OSError as error:
    p.outcomes.append(f"openpty={error.errno}")
else:
    p.attempt("TIOCSTI on an own pty", push, slave)
    p.attempt("TIOCSTI by high bits", lambda: __import__("probe").syscall(16, slave, 0x5412 | (1 << 32), __import__("ctypes").c_char_p(b"x")))
p.finish()
