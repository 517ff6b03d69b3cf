# Looks through /proc for anybody else's process, and for words of the host in what it shows.
import os, sys
from probe import Probe, shares_memory
p = Probe()
secret_words = [word for word in sys.argv[1:] if word]
pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
own = {pid for pid in pids if pid == os.getpid() or shares_memory(pid)}
p.holds("few processes", len(pids) <= 4, str(pids))
for pid in pids:
    for name in ("environ", "cmdline", "maps", "cgroup", "mountinfo", "mounts", "status", "stack", "wchan", "comm", "fdinfo/0", "numa_maps", "smaps", "auxv", "syscall", "mem"):
        try:
            fd = os.open(f"/proc/{pid}/{name}", os.O_RDONLY)
            data = os.read(fd, 1 << 16)
            os.close(fd)
        except OSError:
            continue
        if pid not in own and name in ("environ", "maps", "mem", "auxv", "stack", "syscall", "smaps", "numa_maps"):
            if data.strip() and not (name == "environ" and b"=" not in data):
                p.leaks.append(f"/proc/{pid}/{name}")
        for word in secret_words:
            # argv of this very process holds the words that were handed to it.
            if word.encode() in data and not (pid in own and name in ("cmdline", "environ")):
                p.leaks.append(f"word {secret_words.index(word)} in /proc/{pid}/{name}")
    if pid not in own:
        for name in ("root", "cwd", "exe"):
            try:
                target = os.readlink(f"/proc/{pid}/{name}")
                p.holds(f"/proc/{pid}/{name} is ours", not any(w in target for w in secret_words), target)
            except OSError:
                pass
        try:
            fds = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            fds = []
        p.holds(f"/proc/{pid}/fd hidden", not fds, ",".join(fds))
for line in open("/proc/self/cgroup"):
    path = line.rstrip("\n").split(":", 2)[2]
    p.holds("cgroup path is /", path == "/", path)
p.finish()
