# Puts links where the supervisor will write next, and tries to move the work directory away.
import os
from probe import Probe
p = Probe()
os.chdir("/work")
for name in ("main.c", "main.cpp", "a.out", "main", "probe.h", "stdin", "__pycache__x"):
    try:
        os.symlink("/etc/passwd", name)
    except FileExistsError:
        pass
p.attempt("rename /work", lambda: os.rename("/work", "/work2"), also=(16,))
p.attempt("rmdir /work", lambda: os.rmdir("/work"), also=(16, 39))
p.attempt("symlink over /work", lambda: os.symlink("/etc", "/work"), also=(17,))
p.attempt("rename /tmp", lambda: os.rename("/tmp", "/tmp2"), also=(16,))
os.chmod("/work", 0)
p.finish()
