# Looks in the keyrings that it possesses for a key of the supervisor's. argv[1]: its name.
import ctypes, sys
from probe import Probe, syscall
p = Probe()
def read(ring):
    key = syscall(250, 10, ring, ctypes.c_char_p(b"user"), ctypes.c_char_p(sys.argv[1].encode()), 0)
    buffer = ctypes.create_string_buffer(64)
    return syscall(250, 11, key, buffer, 64)
for name, ring in (("thread", -1), ("process", -2), ("session", -3), ("user", -4), ("user session", -5)):
    p.attempt(f"key in {name} keyring", lambda: read(ring), also=(126,))
p.finish()
