# Executes a 32-bit program made by hand: exit(42) by int 0x80.
import os, struct
from probe import Probe
p = Probe()
code = bytes.fromhex("b801000000" "bb2a000000" "cd80")
header = struct.pack("<4s5B7xHHIIIIIHHHHHH", b"\x7fELF", 1, 1, 1, 0, 0, 2, 3, 1, 0x08048054, 52, 0, 0, 52, 32, 1, 0, 0, 0)
segment = struct.pack("<IIIIIIII", 1, 0, 0x08048000, 0x08048000, 84 + len(code), 84 + len(code), 5, 0x1000)
with open("/work/elf32", "wb") as file:
    file.write(header + segment + code)
os.chmod("/work/elf32", 0o755)
pid = os.fork()
if pid == 0:
    try:
        os.execv("/work/elf32", ["elf32"])
    except OSError as error:
        os._exit(100)
status = os.waitpid(pid, 0)[1]
p.holds("no 32-bit system call", os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 100, str(status))
p.finish()
