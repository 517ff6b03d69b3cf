"""What this machine can enforce: each guarantee tried for real, in milliseconds.

A worker host looks before it starts, and refuses where something is missing that its operator has
not named in `allow_degraded`; `dcodex doctor` prints the same findings, and more.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from dcodex_shared.config import WorkerSettings
from dcodex_shared.findings import Finding
from dcodex_shared.guarantees import DISPENSABLE
from dcodex_worker.sandbox import cgroup, errand, kernel, keyring, seccomp
from dcodex_worker.sandbox.errand import Errand, Failed

#: The newest call without which no sandbox can be made: mount_setattr.
OLDEST_KERNEL = (5, 12)
_CAPABILITIES = {
    "CAP_CHOWN": 0,
    "CAP_KILL": 5,
    "CAP_SETGID": 6,
    "CAP_SETUID": 7,
    "CAP_SETPCAP": 8,
    "CAP_NET_ADMIN": 12,
    "CAP_SYS_CHROOT": 18,
    "CAP_SYS_PTRACE": 19,
    "CAP_SYS_ADMIN": 21,
}
_CAP_SYS_RESOURCE = 24
_NAMESPACES = {
    "mount": ("CONFIG_NAMESPACES", kernel.CLONE_NEWNS),
    "pid": ("CONFIG_PID_NS", kernel.CLONE_NEWPID),
    "network": ("CONFIG_NET_NS", kernel.CLONE_NEWNET),
    "ipc": ("CONFIG_IPC_NS", kernel.CLONE_NEWIPC),
    "uts": ("CONFIG_UTS_NS", kernel.CLONE_NEWUTS),
    "cgroup": ("CONFIG_CGROUPS", kernel.CLONE_NEWCGROUP),
    "user": ("CONFIG_USER_NS", kernel.CLONE_NEWUSER),
}
_CONTAINERS = "in a container: --privileged, or a seccomp profile and AppArmor that let it"

Step = tuple[str, Callable[[], object]]


def examine(settings: WorkerSettings) -> list[Finding]:
    """Every guarantee, in an order in which the first that is missing explains the others."""
    findings = [_machine(), _kernel(), _rights()]
    if not all(finding.ok for finding in findings):
        return findings
    findings += [_namespaces(), _mounts()]
    findings += _cgroups(settings)
    findings += [_seccomp(), _landlock(), _overlays(), _keyring(), _listener(), _oom()]
    return [_as_allowed(finding, settings.allow_degraded) for finding in findings]


def missing(findings: list[Finding]) -> list[Finding]:
    """What is required and not there."""
    return [finding for finding in findings if finding.required and not finding.ok]


def given_up(findings: list[Finding]) -> list[Finding]:
    """What is not there and is done without."""
    return [f for f in findings if f.name in DISPENSABLE and not f.ok and not f.required]


def _as_allowed(finding: Finding, allowed: tuple[str, ...]) -> Finding:
    """The finding as an operator has decided on it."""
    if finding.ok or finding.name not in DISPENSABLE:
        return finding
    lost = DISPENSABLE[finding.name]
    if finding.name in allowed:
        text = f"{finding.text}; done without, as allowed. Given up: {lost}"
        return Finding(finding.name, False, False, text, finding.remedy)
    remedy = f"{finding.remedy}; or --allow-degraded={finding.name}, which gives up {lost}"
    return Finding(finding.name, False, True, finding.text, remedy)


def _machine() -> Finding:
    machine = os.uname().machine
    if machine not in errand.MACHINES:
        return Finding(
            "machine", False, True, f"{machine} is not supported", "use an x86_64 machine"
        )
    return Finding("machine", True, True, machine)


def _kernel() -> Finding:
    release = platform.release()
    numbers = tuple(int(part) for part in release.split("-")[0].split(".")[:2])
    return Finding(
        "kernel",
        numbers >= OLDEST_KERNEL,
        True,
        f"Linux {release}",
        f"a kernel of {OLDEST_KERNEL[0]}.{OLDEST_KERNEL[1]} or later is needed",
    )


def _rights() -> Finding:
    effective = _effective_capabilities()
    lacking = [name for name, bit in _CAPABILITIES.items() if not effective >> bit & 1]
    user = os.geteuid()
    text = "root" if user == 0 else f"user {user}, not root (rootless is not supported)"
    if user == 0 and lacking:
        text = f"root without {', '.join(lacking)}"
    return Finding(
        "rights",
        user == 0 and not lacking,
        True,
        text,
        "start the worker host as root with its capabilities (systemd: no User=; by hand: sudo; "
        "containers: --privileged, or --cap-add for each that lacks)",
    )


def _namespaces() -> Finding:
    lacking = []
    for name, (option, flag) in _NAMESPACES.items():
        failed = _attempt(((name, lambda flag=flag: kernel.unshare(flag)),))  # type: ignore[misc] # bound early
        if failed is not None:
            lacking.append(f"{name} ({errno.errorcode.get(failed[1], failed[1])}, {option})")
    remedy = f"a kernel with these options; {_CONTAINERS}"
    if any(name.startswith("user (ENOSPC") for name in lacking):
        remedy = "sysctl user.max_user_namespaces=65536"
    text = f"no {', '.join(lacking)}" if lacking else "of every kind"
    return Finding("namespaces", not lacking, True, text, remedy)


def _mounts() -> Finding:
    """What the template's root takes, and a /proc of a pid namespace of its own."""
    with tempfile.TemporaryDirectory(prefix="dcodex-survey-") as staging:
        flags = kernel.CLONE_NEWNS | kernel.CLONE_NEWPID
        failed = _attempt(
            (
                ("unshare", lambda: kernel.unshare(flags)),
                ("private", lambda: kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)),
                ("tmpfs", lambda: kernel.mount("x", staging, "tmpfs", 0, "size=64k")),
                ("directory", lambda: os.mkdir(f"{staging}/proc")),
                ("proc", lambda: _in_child(lambda: _mount_proc(f"{staging}/proc"))),
                ("read-only", lambda: kernel.make_readonly(staging)),
                ("chdir", lambda: os.chdir(staging)),
                ("pivot_root", lambda: kernel.pivot_root(".", ".")),
                ("unmount", lambda: kernel.unmount(".")),
            )
        )
    if failed is None:
        return Finding("mounts", True, True, "tmpfs, proc, read-only trees, pivot_root")
    step, number = failed
    remedy = _CONTAINERS
    if step == "proc":
        remedy = f"a /proc that nothing is mounted over; {_CONTAINERS}"
    elif step == "pivot_root":
        remedy = "a root that is a mount and not the initial ramfs (initrd: switch_root)"
    return Finding("mounts", False, True, f"{step} fails with {_name(number)}", remedy)


def _mount_proc(target: str) -> None:
    kernel.mount("proc", target, "proc", 0)


def _cgroups(settings: WorkerSettings) -> list[Finding]:
    name = f"dcodex-survey-{os.getpid()}"
    try:
        tree = cgroup.create_tree(name, settings.cgroup_root, shares=False)
    except cgroup.CgroupError as error:
        text = (
            "mount cgroup2, or v1 with memory, pids, cpuacct and cpu, and let this process make "
            "groups (systemd: Delegate=yes; containers: a writable /sys/fs/cgroup)"
        )
        return [Finding("cgroup", False, True, str(error), text)]
    try:
        return [
            Finding("cgroup", True, True, f"version {tree.version}"),
            _cpu_share(tree),
            _swap_limit(tree),
            _tcp_memory(tree),
        ]
    finally:
        cgroup.remove_tree(tree)


def _cpu_share(tree: cgroup.Tree) -> Finding:
    if tree.shares:
        return Finding("cpu-share", True, True, "by the controller cpu")
    text = "the controller cpu is " + ("not mounted" if tree.version == 1 else "not delegated")
    remedy = (
        "mount -t cgroup -o cpu cgroup /sys/fs/cgroup/cpu (kernel: CONFIG_FAIR_GROUP_SCHED)"
        if tree.version == 1
        else "enable cpu in the parent's cgroup.subtree_control (systemd: Delegate=yes)"
    )
    return Finding("cpu-share", False, True, text, remedy)


def _swap_limit(tree: cgroup.Tree) -> Finding:
    directory = dict(tree.directories)["memory" if tree.version == 1 else "unified"]
    file = "memory.memsw.limit_in_bytes" if tree.version == 1 else "memory.swap.max"
    if Path(directory, file).exists():
        return Finding("swap-limit", True, True, f"by {file}")
    if len(Path("/proc/swaps").read_text().splitlines()) <= 1:
        return Finding("swap-limit", True, True, "there is no swap")
    remedy = "swapoff -a, or boot with swapaccount=1"
    return Finding("swap-limit", False, True, "swap is not counted", remedy)


def _tcp_memory(tree: cgroup.Tree) -> Finding:
    if tree.version == 2:
        return Finding("tcp-memory", True, True, "counted with all memory")
    file = "memory.kmem.tcp.limit_in_bytes"
    if Path(dict(tree.directories)["memory"], file).exists():
        return Finding("tcp-memory", True, True, f"by {file}")
    remedy = "boot without cgroup.memory=nosocket, or use cgroup version 2"
    return Finding("tcp-memory", False, True, "TCP buffers are not counted", remedy)


def _seccomp() -> Finding:
    actions = Path("/proc/sys/kernel/seccomp/actions_avail")
    words = actions.read_text().split() if actions.exists() else []
    program = seccomp.filter_program(False)
    given = seccomp.is_given(program, 0)
    size = len(program) // seccomp.INSTRUCTION_BYTES
    return Finding(
        "seccomp",
        given and "kill_process" in words,
        True,
        f"filter of {size} instructions" if given else "a filter is refused",
        f"a kernel with CONFIG_SECCOMP_FILTER, Linux 4.14 or later; {_CONTAINERS}",
    )


def _landlock() -> Finding:
    version = kernel.landlock_version()
    if version > 0:
        return Finding("landlock", True, True, f"version {version}")
    remedies = {
        errno.EOPNOTSUPP: "add landlock to the list of the boot parameter lsm=",
        errno.EPERM: _CONTAINERS,
    }
    return Finding(
        "landlock",
        False,
        True,
        f"the kernel says {_name(-version)}",
        remedies.get(-version, "a kernel with CONFIG_SECURITY_LANDLOCK, Linux 5.13 or later"),
    )


def _overlays() -> Finding:
    with tempfile.TemporaryDirectory(prefix="dcodex-survey-") as staging:
        failed = _attempt(
            (
                ("unshare", lambda: kernel.unshare(kernel.CLONE_NEWNS)),
                ("private", lambda: kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)),
                ("overlay", lambda: kernel.mount("x", staging, "overlay", 0, "lowerdir=/usr:/etc")),
            )
        )
    if failed is None:
        return Finding("overlayfs", True, True, "in front of what programs read")
    text = f"mounting one fails with {_name(failed[1])}"
    remedy = f"modprobe overlay (kernel: CONFIG_OVERLAY_FS); {_CONTAINERS}"
    return Finding("overlayfs", False, True, text, remedy)


def _keyring() -> Finding:
    errand = Errand()
    errand.step("keyring")
    keyring.plan(errand, False)
    errand.seal()
    failed = _attempt((("keyring", errand.run),))
    if failed is None:
        return Finding("keyring", True, True, "a new one for each program")
    text = f"joining a new one fails with {_name(failed[1])}"
    return Finding("keyring", False, True, text, f"{_CONTAINERS} call keyctl")


def _listener() -> Finding:
    if seccomp.choose().flags:
        return Finding("seccomp-listener", True, True, "the filter has one")
    remedy = "a kernel of 5.5 or later, and no other supervisor that listens to a filter of its own"
    return Finding("seccomp-listener", False, True, "the filter can have none", remedy)


def _oom() -> Finding:
    return Finding(
        "oom-protection",
        bool(_effective_capabilities() >> _CAP_SYS_RESOURCE & 1),
        False,
        "CAP_SYS_RESOURCE keeps our own processes out of the kernel's choice of whom to kill",
        "grant CAP_SYS_RESOURCE; without it a program that runs out of memory can take its "
        "keeper with it, which costs that worker a restart of some milliseconds",
    )


def _attempt(steps: tuple[Step, ...]) -> tuple[str, int] | None:
    """Take these steps in a child; the first that fails, with its errno; None: all went well."""
    ours, theirs = socket.socketpair()
    with ours:
        pid = os.fork()
        if pid == 0:
            for number, (_, step) in enumerate(steps):
                try:
                    step()
                except OSError as error:
                    theirs.send(bytes((number, min(255, error.errno or 255))))
                    os._exit(1)
                except Failed as error:
                    theirs.send(bytes((number, min(255, error.number))))
                    os._exit(1)
                except BaseException:
                    theirs.send(bytes((number, 255)))
                    os._exit(1)
            os._exit(0)
        theirs.close()
        answer = ours.recv(2)
        _, status = os.waitpid(pid, 0)
    if answer:
        return steps[answer[0]][0], answer[1]
    # A filter around us may kill for what it does not allow.
    return None if status == 0 else (steps[-1][0], errno.EPERM)


def _in_child(action: Callable[[], object]) -> None:
    """Do something in a child; raises its OSError."""
    pid = os.fork()
    if pid == 0:
        try:
            action()
        except OSError as error:
            os._exit(error.errno or 255)
        except BaseException:
            os._exit(255)
        os._exit(0)
    number = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if number:
        raise OSError(number, os.strerror(number))


def _name(number: int) -> str:
    return errno.errorcode.get(number, str(number))


def _effective_capabilities() -> int:
    with contextlib.suppress(StopIteration):
        return int(next(_rows("CapEff:")), 16)
    return 0


def _rows(name: str) -> Iterator[str]:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            yield line.split()[1]
