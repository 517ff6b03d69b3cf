# prctl's doors: dumpable, seccomp, securebits, capabilities, no_new_privs, mm.
import ctypes, os
from probe import Probe, syscall
p = Probe()
def prctl(*arguments):
    return syscall(157, *arguments)
p.attempt("no_new_privs off", lambda: prctl(38, 0, 0, 0, 0), also=(22,))
p.attempt("securebits", lambda: prctl(28, 0x10, 0, 0, 0), also=(22,))
p.attempt("keepcaps+ambient", lambda: prctl(47, 2, 21, 0, 0), also=(22,))
for capability in (0, 7, 12, 19, 21, 39):
    p.attempt(f"ambient {capability}", lambda: prctl(47, 2, capability, 0, 0), also=(22,))
p.attempt("seccomp off", lambda: prctl(22, 0, 0, 0, 0), also=(22,))
p.attempt("set_mm", lambda: prctl(35, 1, 0x400000, 0, 0), also=(22,))
p.attempt("mce kill", lambda: prctl(33, 9, 9, 0, 0), also=(22,))
p.attempt("endian", lambda: prctl(20, 0, 0, 0, 0), also=(22,))
header = (ctypes.c_uint * 2)(0x20080522, 0)
data = (ctypes.c_uint * 6)(*[0xffffffff] * 6)
p.attempt("capset everything", lambda: syscall(126, header, data))
prctl_dump = -1
try:
    prctl(4, 1, 0, 0, 0)
except OSError:
    pass
p.attempt("after dumpable, pid 1's memory", lambda: os.open("/proc/1/mem", os.O_RDONLY) if os.getpid() != 1 else os.open("/missing", 0))
import resource
p.holds("still no core file", resource.getrlimit(resource.RLIMIT_CORE)[1] == 0, str(resource.getrlimit(resource.RLIMIT_CORE)))
p.finish()
