# Looks for cgroup files to change its own limits.
import ctypes, os
from probe import Probe
p = Probe()
libc = ctypes.CDLL(None, use_errno=True)
for path in ("/sys/fs/cgroup", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/unified/cgroup.procs", "/cgroup"):
    p.attempt(path, lambda: os.open(path, os.O_RDONLY))
os.makedirs("/work/cg", exist_ok=True)
for kind, data in ((b"cgroup2", None), (b"cgroup", b"memory"), (b"cgroup", b"none,name=x"), (b"sysfs", None), (b"proc", None), (b"debugfs", None), (b"tracefs", None), (b"securityfs", None), (b"overlay", b"lowerdir=/usr,upperdir=/tmp,workdir=/tmp"), (b"tmpfs", None), (b"devtmpfs", None), (b"mqueue", None), (b"fuse", b"fd=0"), (b"binder", None), (b"bpf", None)):
    def mount():
        if libc.mount(b"none", b"/work/cg", kind, 0, data) != 0:
            raise OSError(ctypes.get_errno(), "mount")
    p.attempt(f"mount {kind.decode()}", mount)
p.finish()
