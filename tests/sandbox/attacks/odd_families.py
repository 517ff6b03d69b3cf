# AF_VSOCK, AF_PACKET, AF_ALG and friends, by their Python names and numbers.
import socket
from probe import Probe
p = Probe()
for family in (2 + 1, 8, 9, 15, 16, 17, 21, 26, 29, 30, 31, 35, 37, 38, 39, 40, 41, 42, 43, 44, 45):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        if family == 16:
            p.attempt(f"netlink audit {kind}", lambda: socket.socket(family, kind, 9), also=(93, 94, 97))
            continue
        p.attempt(f"family {family} {kind}", lambda: socket.socket(family, kind), also=(97, 93, 94, 22))
p.finish()
