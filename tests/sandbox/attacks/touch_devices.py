# Leaves marks on the device nodes: times, locks, modes, attributes.
import os, stat
from probe import Probe
p = Probe()
for name in ("null", "zero", "full", "random", "urandom", "tty"):
    path = f"/dev/{name}"
    if not os.path.exists(path):
        continue
    p.attempt(f"touch {name}", lambda: os.utime(path))
    p.attempt(f"chmod {name}", lambda: os.chmod(path, 0o777))
    p.attempt(f"xattr {name}", lambda: os.setxattr(path, "user.x", b"1"), also=(95,))
    p.attempt(f"link {name}", lambda: os.link(path, "/dev/shm/x"))
    p.attempt(f"unlink {name}", lambda: os.unlink(path), also=(16,))
    p.attempt(f"rename {name}", lambda: os.rename(path, path + "2"), also=(16,))
p.attempt("touch /", lambda: os.utime("/"))
p.finish()
