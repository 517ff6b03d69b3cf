"""What one program sees of file systems, on top of the template's read-only root (rootfs.py)."""

from __future__ import annotations

from dcodex_worker.sandbox import kernel
from dcodex_worker.sandbox.errand import Errand, Number

WORK_DIRECTORY = "/work"
#: Where each program has files of its own, and sees none of the host's.
PRIVATE = (WORK_DIRECTORY, "/tmp", "/var/tmp", "/dev", "/proc")

_FLAGS = kernel.MS_NOSUID | kernel.MS_NODEV

#: Files of /proc that tell everybody of the host. Those that belong to the host's root alone
#: (kcore, kmsg, sysrq-trigger, timer_list, ...) are closed to a user who is not root anywhere.
_MASKED_FILES = (
    "cmdline",
    "config.gz",
    "diskstats",
    "interrupts",
    "kallsyms",
    "key-users",
    "keys",
    "latency_stats",
    "modules",
    "partitions",
    "sched_debug",
    "softirqs",
    "timer_stats",
)
#: Directories of /proc of the same kind.
_MASKED_DIRECTORIES = (
    "acpi",
    "asound",
    "bus",
    "driver",
    "dynamic_debug",
    "fs",
    "irq",
    "pressure",
    "scsi",
)

#: hidepid=invisible, as it was called before Linux 5.8: init and the holder are not to be seen.
_OTHERS_HIDDEN = "hidepid=2"

#: An empty, read-only directory and /dev/null stand in for what is masked.
EMPTY_DIRECTORY = "/.dcodex/empty"


def plan_writable(errand: Errand, tmpfs_bytes: int, host_id: int) -> None:
    """The private, writable places; in the keeper, in a mount namespace of this sandbox's own.

    Each holds at most tmpfs_bytes, and an inode for every 4 KiB of it; the files count as the
    program's memory too. The work directory belongs to the program, which starts in it.
    """
    size = f"size={tmpfs_bytes},nr_inodes={max(1024, tmpfs_bytes // 4096)}"
    owner = f"mode=0700,uid={host_id},gid={host_id},{size}"
    errand.mount("work", WORK_DIRECTORY, "tmpfs", _FLAGS, owner)
    errand.call(Number.CHDIR, WORK_DIRECTORY.encode())
    errand.mount("tmp", "/tmp", "tmpfs", _FLAGS, f"mode=1777,{size}")
    errand.mount("shm", "/dev/shm", "tmpfs", _FLAGS | kernel.MS_NOEXEC, f"mode=1777,{size}")


def plan_proc(errand: Errand, present: tuple[str, ...]) -> None:
    """A /proc of this pid namespace alone; in the program's process, which is inside it.

    present: the names among maskable() that this kernel has.
    """
    errand.mount("proc", "/proc", "proc", _FLAGS | kernel.MS_NOEXEC, _OTHERS_HIDDEN)
    for name in present:
        nothing = EMPTY_DIRECTORY if name in _MASKED_DIRECTORIES else "/dev/null"
        errand.mount(nothing, f"/proc/{name}", "", kernel.MS_BIND)
    errand.mount("/proc/sys", "/proc/sys", "", kernel.MS_BIND | kernel.MS_REC)
    errand.mount(
        "", "/proc/sys", "", kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | _FLAGS
    )


def maskable() -> tuple[str, ...]:
    """Every name below /proc that plan_proc() would hide where it exists."""
    return _MASKED_FILES + _MASKED_DIRECTORIES
