# Pages of the runtime's files are shared by all: mapped, spliced, opened through magic links.
import ctypes, mmap, os
from probe import Probe
p = Probe()
libc = ctypes.CDLL(None, use_errno=True)
TARGET = "/usr/bin/env"
before = open(TARGET, "rb").read()
file = os.open(TARGET, os.O_RDONLY)
p.attempt("map for writing", mmap.mmap, file, 4096, mmap.MAP_SHARED, mmap.PROT_WRITE)
mapped = mmap.mmap(file, 4096, mmap.MAP_SHARED, mmap.PROT_READ)
for line in open("/proc/self/maps"):
    if line.rstrip().endswith(TARGET):
        address = int(line.split("-")[0], 16)
        p.holds("no change of rights", libc.mprotect(ctypes.c_void_p(address), 4096, 3) == -1)
        memory = os.open("/proc/self/mem", os.O_RDWR)
        p.attempt("through /proc/self/mem", os.pwrite, memory, b"XXXX", address, also=(5, 14))
reader, writer = os.pipe()
for _ in range(16):
    os.write(writer, b"x" * 4096)
os.read(reader, 65536)
os.splice(file, writer, 1, 0)
os.write(writer, b"written into the page?")
p.holds("a pipe's page is not the file's", open(TARGET, "rb").read() == before)
p.attempt("own executable", os.open, "/proc/self/exe", os.O_WRONLY, also=(26,))
for way in (f"/proc/self/fd/{file}", f"/proc/self/root{TARGET}", "/proc/self/cwd/../usr/bin/env"):
    p.attempt(way, os.open, way, os.O_RDWR)
for what in ("mem", "root", "cwd", "exe", "fd", "fdinfo", "map_files", "ns/mnt", "environ", "task/1/mem"):
    path = f"/proc/1/{what}"
    p.attempt(path, lambda: os.listdir(path) if os.path.isdir(path) else os.open(path, os.O_RDONLY))
p.holds("as before", open(TARGET, "rb").read() == before)
p.finish()
