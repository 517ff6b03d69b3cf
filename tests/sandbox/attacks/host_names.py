# Looks for the host's name and users.
import os, platform, pwd, socket, sys
from probe import Probe
p = Probe()
host = sys.argv[1]
p.holds("hostname is not the host's", socket.gethostname() != host, socket.gethostname())
p.holds("uname agrees", platform.node() == socket.gethostname())
users = [entry.pw_name for entry in pwd.getpwall()]
p.holds("few users", len(users) <= 4, ",".join(users))
for path in ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/passwd", "/etc/group"):
    try:
        data = open(path).read()
    except OSError:
        continue
    p.holds(f"{path} does not name the host", host not in data.split())
    p.holds(f"{path} names no outer server", "nameserver" not in data or "127.0.0.1" in data)
for word in sys.argv[2:]:
    p.holds("mountinfo names no host path", word not in open("/proc/self/mountinfo").read())
p.finish()
