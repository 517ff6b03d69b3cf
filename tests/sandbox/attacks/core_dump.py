# Asks for a core dump and faults; then looks whether a child's left one. A host where a command
# takes core dumps starts it as root for every crash, unless the limit is 1 byte.
import os, resource, signal, subprocess
from probe import Probe
p = Probe()
CORE = resource.RLIMIT_CORE
NONE = (0, 0)
p.holds("no core dumps", resource.getrlimit(CORE) == NONE, str(resource.getrlimit(CORE)))
p.attempt("raise core limit", resource.setrlimit, CORE, (1 << 30, 1 << 30))
p.attempt("raise it by one", resource.setrlimit, CORE, (0, 1))
p.attempt("prlimit", resource.prlimit, 0, CORE, (1, 1))
resource.setrlimit(CORE, NONE)
p.holds("as before", resource.prlimit(0, CORE) == NONE and resource.prlimit(0, CORE, NONE) == NONE)
p.holds("a shell lowers it", subprocess.run(["sh", "-c", "ulimit -c 0 && ulimit -c"], capture_output=True).stdout == b"0\n")
def limits(pid):
    with open(f"/proc/{pid}/limits") as file:
        return [line.split()[4:6] for line in file if line.startswith("Max core")]
p.holds("no command of the host's", limits("self") == [["1", "1"]], str(limits("self")))
pid = os.fork()
if pid == 0:
    os.chdir("/work")
    resource.setrlimit(CORE, NONE)
    os.kill(os.getpid(), signal.SIGQUIT)
status = os.waitpid(pid, 0)[1]
p.holds("no core dumped", not os.WCOREDUMP(status))
p.holds("no core file", not [n for n in os.listdir("/work") if n.startswith("core")])
p.finish()
