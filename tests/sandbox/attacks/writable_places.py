# Walks the whole tree for anything writable beyond the three private places.
import os
from probe import Probe
p = Probe()
private = ("/work", "/tmp", "/dev/shm", "/proc", "/var/tmp")
found, files, writable_devices = [], 0, {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"}
def writable(path):
    try:
        return os.access(path, os.W_OK, follow_symlinks=False) if os.path.islink(path) is False else False
    except (OSError, NotImplementedError):
        return False
for folder, folders, names in os.walk("/"):
    if any(folder == x or folder.startswith(x + "/") for x in private):
        folders[:] = []
        continue
    files += len(names)
    if writable(folder):
        found.append(folder)
    if folder.count("/") < 3:
        found += [os.path.join(folder, n) for n in names if writable(os.path.join(folder, n)) and os.path.join(folder, n) not in writable_devices]
    if files > 200_000:
        break
p.holds("nothing else writable", not found, ",".join(found[:5]))
rw = []
for line in open("/proc/self/mountinfo"):
    parts = line.split()
    if "rw" in parts[5].split(",") and not any(parts[4] == x or parts[4].startswith(x + "/") for x in private) and parts[4] not in writable_devices:
        rw.append(parts[4])
p.holds("no other mount is rw", not rw, ",".join(rw[:5]))
p.finish()
