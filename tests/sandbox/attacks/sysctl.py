# Sets a switch of the kernel's that its own namespaces would make harmless.
import os
from probe import Probe
p = Probe()
def write():
    fd = os.open("/proc/sys/kernel/hostname", os.O_WRONLY)
    try:
        os.write(fd, b"pwned")
    finally:
        os.close(fd)
p.attempt("hostname", write)
p.finish()
