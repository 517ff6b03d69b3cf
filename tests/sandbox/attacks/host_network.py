# Connects to the host: its loopback, an address of its own, its Unix and abstract sockets.
# argv: kind=address ... as the test made them; nothing else is ever dialled.
import os, socket, sys
from probe import Probe
p = Probe()
for word in sys.argv[1:]:
    kind, _, address = word.partition("=")
    if kind == "tcp":
        host, _, port = address.rpartition(":")
        def dial():
            s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            s.settimeout(1)
            s.connect((host, int(port)))
        p.attempt(f"connect {host}", dial, also=(101, 111, 110, 113, 99, 97, None))
    elif kind == "udp":
        host, _, port = address.rpartition(":")
        def send():
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.settimeout(0.3)
            s.sendto(b"probe", (host, int(port)))
            s.recvfrom(16)
        p.attempt(f"udp {host}", send, also=(101, 111, 110, 113, 99, None))
    elif kind in ("unix", "abstract"):
        name = address if kind == "unix" else "\0" + address
        for socket_type in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
            p.attempt(f"{kind} {address} {socket_type}", lambda: socket.socket(socket.AF_UNIX, socket_type).connect(name), also=(111, 94))
        if kind == "unix":
            p.attempt(f"open {address}", lambda: os.stat(address))
            p.attempt(f"through pid 1 {address}", lambda: os.stat("/proc/1/root" + address))
p.finish()
