# Only its own loopback: no other interface, no route, nobody listening, nobody's traffic.
import os, socket, struct
from probe import Probe
p = Probe()
names = [name for _, name in socket.if_nameindex()]
p.holds("only lo", names == ["lo"], ",".join(names))
lines = open("/proc/net/dev").read().splitlines()[2:]
p.holds("/proc/net/dev shows only lo", [x.split(":")[0].strip() for x in lines] == ["lo"])
for table in ("tcp", "udp", "unix", "raw", "packet", "netlink", "tcp6", "udp6"):
    try:
        rows = open(f"/proc/net/{table}").read().splitlines()[1:]
    except OSError:
        continue
    p.holds(f"nothing in /proc/net/{table}", not rows or table == "netlink", str(rows[:1]))
routes = open("/proc/net/route").read().splitlines()[1:]
p.holds("no route out", all(row.split()[0] == "lo" for row in routes), str(routes))
for family, kind, proto in ((socket.AF_INET, socket.SOCK_RAW, 1), (socket.AF_INET, socket.SOCK_RAW, 255), (socket.AF_INET6, socket.SOCK_RAW, 58), (socket.AF_PACKET, socket.SOCK_RAW, 0x0300), (socket.AF_PACKET, socket.SOCK_DGRAM, 0)):
    p.attempt(f"raw {family} {proto}", lambda: socket.socket(family, kind, proto), also=(93, 97, 94))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for address in ("192.0.2.1", "198.51.100.1"):
    p.attempt(f"route to documentation address {address}", lambda: s.sendto(b"x", (address, 9)), also=(101,))
import fcntl
p.attempt("bring lo down", lambda: fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0)))
p.attempt("new address", lambda: fcntl.ioctl(s, 0x8916, struct.pack("16sHH4s8x", b"lo", 2, 0, socket.inet_aton("10.1.1.1"))))
p.attempt("tun", lambda: os.open("/dev/net/tun", os.O_RDWR))
p.attempt("SO_MARK", lambda: s.setsockopt(socket.SOL_SOCKET, 36, 1))
p.attempt("SO_SNDBUFFORCE", lambda: s.setsockopt(socket.SOL_SOCKET, 32, 1 << 30))
p.finish()
