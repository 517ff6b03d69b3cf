# Attacks on pid 1 of its own namespace: it must not be steerable, and the host's must not be seen.
import ctypes, os, resource, signal
from probe import Probe, syscall
p = Probe()
if os.getpid() == 1:
    p.holds("no parent", os.getppid() == 0)
    p.finish()
for name in ("mem", "environ", "maps", "auxv", "stack", "pagemap", "smaps"):
    p.attempt(f"/proc/1/{name}", lambda: os.read(os.open(f"/proc/1/{name}", os.O_RDONLY), 1) or os.open("/missing", 0), also=(5,))
p.attempt("/proc/1/mem writable", lambda: os.open("/proc/1/mem", os.O_RDWR))
for name in ("root", "cwd", "exe", "fd", "ns", "map_files", "task/1/root"):
    p.attempt(f"list /proc/1/{name}", lambda: os.listdir(f"/proc/1/{name}") if name not in ("exe",) else os.open("/proc/1/exe", os.O_RDONLY))
for kind in ("mnt", "pid", "net", "user", "ipc", "uts", "cgroup", "time"):
    p.attempt(f"setns {kind}", lambda: syscall(308, os.open(f"/proc/1/ns/{kind}", os.O_RDONLY), 0))
p.attempt("prlimit", lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0)))
p.attempt("ptrace attach", lambda: syscall(101, 16, 1, 0, 0))
p.attempt("ptrace seize", lambda: syscall(101, 0x4206, 1, 0, 0))
buffer = ctypes.create_string_buffer(64)
vector = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 64)
p.attempt("process_vm_readv", lambda: syscall(310, 1, vector, 1, vector, 1, 0))
p.attempt("process_vm_writev", lambda: syscall(311, 1, vector, 1, vector, 1, 0))
try:
    pidfd = os.pidfd_open(1)
    p.attempt("pidfd_getfd", lambda: syscall(438, pidfd, 0, 0))
    p.attempt("process_madvise", lambda: syscall(440, pidfd, vector, 1, 21, 0))
except OSError as error:
    p.outcomes.append(f"pidfd_open={error.errno}")
p.attempt("oom_score_adj", lambda: os.open("/proc/1/oom_score_adj", os.O_WRONLY))
p.attempt("coredump_filter", lambda: os.open("/proc/1/coredump_filter", os.O_WRONLY))
p.attempt("sched_setaffinity", lambda: os.sched_setaffinity(1, {0}))
p.attempt("setpriority", lambda: os.setpriority(os.PRIO_PROCESS, 1, 19))
for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT):
    try:
        os.kill(1, number)  # pid 1 is deaf to its own namespace's signals, so success means nothing
    except OSError:
        pass
p.finish()
