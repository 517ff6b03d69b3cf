# Tries to change the read-only tree in every way that a path can be changed.
import os
from probe import Probe
p = Probe()
for place in ("/", "/etc", "/usr", "/usr/bin", "/usr/lib", "/lib", "/lib64", "/bin", "/sbin", "/dev", "/proc", "/proc/sys", "/home", "/root", "/var", "/run", "/opt", "/srv", "/mnt", "/media", "/boot", "/sys"):
    p.attempt(f"create {place}", lambda: os.open(f"{place}/dcodex-probe", os.O_CREAT | os.O_WRONLY))
    p.attempt(f"mkdir {place}", lambda: os.mkdir(f"{place}/dcodex-probe-dir"))
    p.attempt(f"tmpfile {place}", lambda: os.open(place, os.O_TMPFILE | os.O_WRONLY), also=(21, 95))
for file in ("/etc/passwd", "/etc/hosts", "/usr/bin/python3", "/bin/sh", "/usr/lib/os-release", "/lib64/ld-linux-x86-64.so.2"):
    if not os.path.exists(file):
        continue
    p.attempt(f"write {file}", lambda: os.open(file, os.O_WRONLY), also=(26,))
    p.attempt(f"append {file}", lambda: os.open(file, os.O_WRONLY | os.O_APPEND), also=(26,))
    p.attempt(f"truncate {file}", lambda: os.truncate(file, 0), also=(26,))
    p.attempt(f"chmod {file}", lambda: os.chmod(file, 0o777))
    p.attempt(f"chown {file}", lambda: os.chown(file, os.getuid(), os.getgid()))
    p.attempt(f"utime {file}", lambda: os.utime(file, (0, 0)))
    p.attempt(f"unlink {file}", lambda: os.unlink(file), also=(16,))
    p.attempt(f"rename {file}", lambda: os.rename(file, file + ".old"), also=(16,))
    p.attempt(f"replace {file}", lambda: os.symlink("/work/x", file), also=(17,))
    p.attempt(f"xattr {file}", lambda: os.setxattr(file, "user.x", b"1"), also=(95,))
p.finish()
