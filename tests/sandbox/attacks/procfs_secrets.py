# Reads what /proc must not show, and opens for writing what must not be writable (writes nothing).
import os
from probe import Probe
p = Probe()
def read(path):
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        data = os.read(fd, 4096)
    finally:
        os.close(fd)
    if not data.strip():
        raise PermissionError(1, "empty")
    return data
for name in ("kcore", "keys", "key-users", "kmsg", "timer_list", "sched_debug", "sysrq-trigger", "kpagecount", "kpageflags", "kpagecgroup", "vmallocinfo", "slabinfo", "pagetypeinfo", "latency_stats", "acpi/wakeup", "scsi/scsi", "asound/cards", "modules", "iomem", "ioports", "fs/ext4", "bus/pci/devices", "config.gz", "mtrr", "tty/driver/serial", "schedstat", "locks", "interrupts", "softirqs", "partitions", "diskstats", "swaps", "sysvipc/shm", "driver/rtc", "irq/default_smp_affinity", "pressure/cpu", "pressure/memory", "kallsyms"):
    path = f"/proc/{name}"
    if name == "kallsyms":
        try:
            line = read(path).decode().split()
            p.holds("kallsyms shows no address", set(line[0]) == {"0"})
        except OSError:
            pass
        continue
    if name in ("iomem", "ioports"):
        try:
            p.holds(f"{name} shows no address", set(read(path).split()[0]) <= set(b"0-"), "")
        except OSError:
            pass
        continue
    if name in ("locks", "swaps"):
        try:
            p.holds(f"{name} shows nothing", len(read(path).splitlines()) <= 1)
        except OSError:
            pass
        continue
    if name == "sysvipc/shm":
        try:
            p.holds("sysvipc is empty", len(read(path).splitlines()) <= 1)
        except OSError:
            pass
        continue
    p.attempt(path, lambda: read(path), also=(11, 5, 22))
for name in ("sysrq-trigger", "sys/kernel/core_pattern", "sys/kernel/hostname", "sys/kernel/domainname", "sys/kernel/modprobe", "sys/kernel/panic", "sys/kernel/randomize_va_space", "sys/kernel/yama/ptrace_scope", "sys/kernel/sysrq", "sys/kernel/ns_last_pid", "sys/kernel/shmmax", "sys/kernel/msgmax", "sys/kernel/sem", "sys/vm/overcommit_memory", "sys/vm/drop_caches", "sys/fs/file-max", "sys/fs/binfmt_misc/register", "sys/fs/mqueue/queues_max", "sys/net/ipv4/ip_forward", "sys/net/ipv4/ip_unprivileged_port_start", "sys/user/max_user_namespaces", "sys/kernel/keys/maxkeys", "irq/0/smp_affinity", "mtrr", "self/loginuid", "self/uid_map", "self/gid_map", "self/setgroups", "1/oom_score_adj", "self/attr/current", "bus/pci/00/00.0", "fs/nfsd", "asound/x", "acpi/x", "pressure/memory", "self/projid_map", "self/timens_offsets", "self/latency", "self/autogroup"):
    path = f"/proc/{name}"
    if name in ("1/oom_score_adj",) and os.getpid() == 1:
        continue
    if name in ("self/loginuid", "self/uid_map", "self/gid_map", "self/setgroups", "self/attr/current", "self/projid_map", "self/timens_offsets", "self/autogroup", "self/latency"):
        continue  # the owner may open these; identity.py shows that writing is refused
    p.attempt(f"open {path} for writing", lambda: os.open(path, os.O_WRONLY))
p.finish()
