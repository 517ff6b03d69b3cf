# Asks for a core dump and faults; then looks whether a child's left one.
import os, resource, signal
from probe import Probe
p = Probe()
p.attempt("raise core limit", resource.setrlimit, resource.RLIMIT_CORE, (1 << 30, 1 << 30))
pid = os.fork()
if pid == 0:
    os.chdir("/work")
    os.kill(os.getpid(), signal.SIGQUIT)
status = os.waitpid(pid, 0)[1]
p.holds("no core dumped", not os.WCOREDUMP(status))
p.holds("no core file", not [n for n in os.listdir("/work") if n.startswith("core")])
p.finish()
