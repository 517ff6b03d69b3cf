# Keeps its mounts, cgroup and namespaces busy while it is torn down.
import mmap, os, threading
from probe import set_name
set_name("dcx-door")
os.chdir("/tmp")
fds = [os.open(path, os.O_RDONLY) for path in ("/proc", "/proc/self/ns", "/tmp", "/dev/shm", "/work") if os.path.exists(path)]
for kind in os.listdir("/proc/self/ns"):
    try:
        fds.append(os.open(f"/proc/self/ns/{kind}", os.O_RDONLY))
    except OSError:
        pass
with open("/dev/shm/x", "wb+") as file:
    file.truncate(1 << 20)
    area = mmap.mmap(file.fileno(), 1 << 20)
for _ in range(5):
    if os.fork() == 0:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        os.setsid()
        threading.Event().wait()
print("CONTAINED", flush=True)
os._exit(0)
