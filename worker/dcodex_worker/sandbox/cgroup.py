"""Control groups, version 1 and 2: limits on, and figures of, a whole tree of processes.

Theory of operation
-------------------
The host makes one group `dcodex-PID` a controller (v1) or in all (v2) below its own; each
worker makes leaves below that, one for each sandbox it arms at a time. A leaf is used again
for the next sandbox when it is empty but for its keeper: making and removing groups costs
milliseconds, resetting their counters microseconds.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import time
from dataclasses import dataclass
from operator import sub
from pathlib import Path

#: What a sandbox needs. cpuacct (v1) and cpu.stat (v2) only count; cpu gives each sandbox, and all
#: together, one share of the processors whatever the number of their processes: a fork bomb
#: would otherwise outnumber everything of ours.
V1_CONTROLLERS = ("memory", "pids", "cpuacct", "cpu")
V2_CONTROLLERS = ("memory", "pids", "cpu")
#: The one that may lack: where the operator does without that share.
SHARE = "cpu"
#: The kernel's default share of a group. Version 2 calls it weight and counts from 100.
_SHARES = 1024
_WEIGHT = 100
#: All sandboxes together against single tasks beside them: a machine that also does other work
#: does not starve them, and they do not keep our own processes waiting.
_TREE_SHARES_PER_CPU = _SHARES
_TREE_WEIGHT_PER_CPU = _WEIGHT
#: A sandbox that is being armed gives way to programs that run, but not for long, for requests may
#: wait for it; tools that start ahead in an armed one give way to all of that. One that is being
#: killed is let through, so that its processes come to die. As multiples of the usual share.
_ARMING = 1 / 4
_TOOLS = 1 / 64
_PRESSING = 16
_MOST_WEIGHT = 10_000
#: How long the processes of a group may take to die, in seconds, before it counts as stuck.
KILL_TIMEOUT_S = 10.0
#: init, the keeper and the holder of the program's memory, which share the leaf with the program.
OWN_PROCESSES = 3

#: Version 2: the group beside the sandboxes' for whoever lived in the group that holds them.
ASIDE = "supervisor"
#: Processes may fork while they are moved there; a round finds those that the last one missed.
_MOVING_ROUNDS = 10

_NANOSECOND = 1e-9
_MICROSECOND = 1e-6


class CgroupError(Exception):
    """This machine's control groups cannot be used; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Where this host's groups are: version, and the directory of each controller."""

    version: int
    #: (controller, directory); one entry named "unified" for version 2.
    directories: tuple[tuple[str, str], ...]
    #: Whether sandboxes have shares of the processors.
    shares: bool = True


def find(mounts: str, own: str, root: str = "") -> tuple[int, tuple[tuple[str, str], ...]]:
    """Version and directories from the text of /proc/self/mounts and /proc/self/cgroup.

    root: a path below each hierarchy to use instead of the process's own group.
    Raises CgroupError naming the controllers that are missing.
    """
    own_paths: dict[str, str] = {}
    for line in own.splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            own_paths[name] = path
    unified = ""
    found: dict[str, str] = {}
    for line in mounts.splitlines():
        _, where, kind, options, *_ = line.split(" ")
        if kind == "cgroup2":
            unified = where
        elif kind == "cgroup":
            for name in options.split(","):
                if name in V1_CONTROLLERS:
                    found.setdefault(name, where)
    if len(found.keys() | {SHARE}) == len(V1_CONTROLLERS):
        return 1, tuple(
            (name, found[name] + (root or own_paths.get(name, "/")).rstrip("/"))
            for name in V1_CONTROLLERS
            if name in found
        )
    if unified:
        # A start before this one may have moved us, or who starts us, aside: not one deeper.
        base = root or own_paths.get("", "/").removesuffix(f"/{ASIDE}")
        return 2, (("unified", unified + base.rstrip("/")),)
    missing = ", ".join(name for name in V1_CONTROLLERS if name not in found)
    raise CgroupError(f"no cgroup controllers are mounted: {missing}")


def create_tree(name: str, root: str = "", shares: bool = True) -> Tree:
    """Make this host's groups; raises CgroupError saying what the operator has to grant.

    shares: whether shares of the processors are insisted on.
    """
    version, bases = find(
        Path("/proc/self/mounts").read_text(), Path("/proc/self/cgroup").read_text(), root
    )
    if version == 2:
        controllers = _delegate(Path(bases[0][1]))
    else:
        controllers = tuple(controller for controller, _ in bases)
    if shares and SHARE not in controllers:
        raise CgroupError(f"the controller {SHARE} is missing")
    directories: list[tuple[str, str]] = []
    made: set[str] = set()
    for controller, base in bases:
        path = f"{base}/{name}"
        directories.append((controller, path))
        if path in made:
            continue  # controllers may be mounted together
        made.add(path)
        try:
            os.mkdir(path)
        except OSError as error:
            raise CgroupError(
                f"cannot make a group below {base}: {error.strerror}; run as root or delegate "
                "that cgroup (systemd: Delegate=yes)"
            ) from None
        if controller == "cpu":
            _write(f"{path}/cpu.shares", str(_TREE_SHARES_PER_CPU * (os.cpu_count() or 1)))
    if version == 2:
        _hand_on(Path(directories[0][1]), controllers)
    return Tree(version, tuple(directories), SHARE in controllers)


def remove_tree(tree: Tree) -> None:
    """Kill and remove everything below the host's groups, and them."""
    for _, directory in tree.directories:
        for entry in _subgroups(directory):
            _kill_all(entry)
    for _, directory in tree.directories:
        for entry in _subgroups(directory):
            _rmdir(entry)
        _rmdir(directory)


def remove_leaves(tree: Tree, prefix: str) -> None:
    """Kill and remove the leaves whose names begin so: what a dead worker left."""
    for _, directory in tree.directories:
        for entry in _subgroups(directory):
            if os.path.basename(entry).startswith(prefix):
                _kill_all(entry)
                _rmdir(entry)


class Leaf:
    """One sandbox's group."""

    def __init__(self, tree: Tree, name: str) -> None:
        self._version = tree.version
        self._paths = {
            controller: f"{directory}/{name}" for controller, directory in tree.directories
        }
        for path in set(self._paths.values()):
            os.mkdir(path)
        #: What was written last, so that equal limits cost nothing on a request's path.
        self._memory_bytes = 0
        self._processes = 0
        #: Processes of ours in here, which do not count as the program's.
        self._own = OWN_PROCESSES
        self._cpu_baseline = (0.0, 0.0, 0.0)
        self._oom_baseline = 0
        self._refused_baseline = 0
        self._peak_baseline = 0
        #: Whether writing to memory.peak (version 2) may still work.
        self._peak_resets = True
        if self._version == 1:
            self._cpu_total = self._open("cpuacct", "cpuacct.usage")
            self._cpu_user = self._open("cpuacct", "cpuacct.usage_user")
            self._cpu_system = self._open("cpuacct", "cpuacct.usage_sys")
            self._peak = self._open("memory", "memory.max_usage_in_bytes", os.O_RDWR)
            self._usage = self._open("memory", "memory.usage_in_bytes")
            self._share = self._open("cpu", "cpu.shares", os.O_WRONLY) if tree.shares else -1
            self._oom = self._open("memory", "memory.oom_control")
            self._refused = self._open("pids", "pids.events")
            self._current = self._open("pids", "pids.current")
        else:
            self._cpu_total = self._cpu_user = self._cpu_system = self._open("unified", "cpu.stat")
            self._peak = self._open_peak()
            self._usage = self._open("unified", "memory.current")
            self._share = self._open("unified", "cpu.weight", os.O_WRONLY) if tree.shares else -1
            self._oom = self._open("unified", "memory.events")
            self._refused = self._open("unified", "pids.events")
            self._current = self._open("unified", "pids.current")

    def open_procs(self) -> list[int]:
        """Descriptors to which a process writes "0" to join."""
        return [
            os.open(f"{path}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
            for path in dict.fromkeys(self._paths.values())
        ]

    def limit(self, memory_bytes: int, processes: int) -> None:
        """Set both limits where they differ from the last ones."""
        if memory_bytes != self._memory_bytes:
            self._limit_memory(memory_bytes)
            self._memory_bytes = memory_bytes
        if processes != self._processes:
            controller = "pids" if self._version == 1 else "unified"
            self._write(controller, "pids.max", str(processes + self._own))
            self._processes = processes

    def admit(self) -> None:
        """One more process of ours is to come."""
        self._own += 1
        processes, self._processes = self._processes, 0
        if processes:
            self.limit(self._memory_bytes, processes)

    def give_way(self) -> None:
        """Until its turn comes others run first: what happens in here is preparation."""
        self._set_share(_ARMING)

    def stand_back(self) -> None:
        """Until its turn comes all others run first: what starts in here may never be needed."""
        self._set_share(_TOOLS)

    def take_turn(self) -> None:
        """From here on its share is the usual one."""
        self._set_share(1)

    def press_on(self) -> None:
        """Somebody waits, or it has given way for long: among many that burn it would for ever."""
        self._set_share(_PRESSING)

    def hasten(self) -> None:
        """What is in here is being killed: let it fork no more, and let it die soon."""
        self._processes = 0
        with contextlib.suppress(OSError):
            self._write("pids" if self._version == 1 else "unified", "pids.max", "0")
            self._set_share(_PRESSING)

    def start_counting(self) -> None:
        """From here on the figures are those of one run, and its share is the usual one."""
        self.take_turn()
        if self._version == 1:
            os.pwrite(self._peak, b"0", 0)
        else:
            self._peak_baseline = self._reset_peak()
        self._oom_baseline = self._field(self._oom, b"oom_kill")
        self._refused_baseline = self._field(self._refused, b"max")
        self._cpu_baseline = self._cpu()

    def cpu_s(self) -> tuple[float, float]:
        """User and system time since start_counting(), of all processes, in seconds."""
        total, user, system = map(sub, self._cpu(), self._cpu_baseline)
        # Version 1 counts the sum exactly, but whose it is by the timer's tick alone, between
        # which a program may hide: the ticks tell the shares, never the sum.
        ticks = user + system
        share = system / ticks if ticks > 0 else 0.0
        return total * (1.0 - share), total * share

    def peak_memory_bytes(self, largest_process_bytes: int = 0) -> int:
        """The highest memory since start_counting().

        Version 2 cannot reset its peak before Linux 6.12, and has none before 5.19: a peak below
        an earlier run's is then known only by the largest process (wait4's maxrss), which the
        caller gives, and by what is there now, such as files on tmpfs.
        """
        if self._peak < 0:
            return max(largest_process_bytes, self.memory_bytes())
        peak = self._number(self._peak)
        if self._version == 2 and peak <= self._peak_baseline:
            return min(peak, max(largest_process_bytes, self.memory_bytes()))
        return peak

    def oom_kills(self) -> int:
        """How often the kernel killed for want of memory since start_counting()."""
        return self._field(self._oom, b"oom_kill") - self._oom_baseline

    def refused_forks(self) -> int:
        """How often the pids limit refused a process since start_counting()."""
        return self._field(self._refused, b"max") - self._refused_baseline

    def memory_bytes(self) -> int:
        """Memory charged now, to whatever lives or has not been freed yet."""
        return self._number(self._usage)

    def processes(self) -> int:
        """Tasks in the leaf now, the keeper's included."""
        return self._number(self._current)

    def remove(self) -> None:
        """Kill what is left, and remove the groups."""
        for fd in {
            self._cpu_total,
            self._cpu_user,
            self._cpu_system,
            self._peak,
            self._usage,
            self._share,
            self._oom,
            self._refused,
            self._current,
        } - {-1}:
            os.close(fd)
        for path in set(self._paths.values()):
            _kill_all(path)
            _rmdir(path)

    def _open_peak(self) -> int:
        """memory.peak, writable where the kernel and our rights let it be; -1: there is none."""
        try:
            return self._open("unified", "memory.peak", os.O_RDWR)
        except FileNotFoundError:
            return -1
        except PermissionError:
            self._peak_resets = False
            return self._open("unified", "memory.peak")

    def _reset_peak(self) -> int:
        """Begin a new peak; returns up to where the figure is still the one before."""
        if self._peak < 0:
            return 0
        if self._peak_resets:
            try:
                os.pwrite(self._peak, b"reset", 0)
                return 0
            except OSError:
                self._peak_resets = False
        return self._number(self._peak)

    def _set_share(self, factor: float) -> None:
        if self._share < 0:
            return
        if self._version == 1:
            os.pwrite(self._share, str(int(_SHARES * factor)).encode(), 0)
        else:
            os.pwrite(self._share, str(max(1, int(_WEIGHT * factor))).encode(), 0)

    def _limit_memory(self, memory_bytes: int) -> None:
        if self._version == 2:
            self._write("unified", "memory.max", str(memory_bytes))
            self._write("unified", "memory.swap.max", "0", may_lack=True)
            self._write("unified", "memory.oom.group", "0", may_lack=True)
            return
        # Buffers of TCP sockets count apart from all other memory.
        self._write("memory", "memory.kmem.tcp.limit_in_bytes", str(memory_bytes), may_lack=True)
        both = "memory.memsw.limit_in_bytes"
        # Memory with swap may not be set below memory alone, nor memory above the sum.
        try:
            self._write("memory", "memory.limit_in_bytes", str(memory_bytes))
            self._write("memory", both, str(memory_bytes), may_lack=True)
        except OSError:
            self._write("memory", both, str(memory_bytes), may_lack=True)
            self._write("memory", "memory.limit_in_bytes", str(memory_bytes))

    def _cpu(self) -> tuple[float, float, float]:
        """Total, user and system time since ever, in seconds."""
        if self._version == 1:
            return (
                self._number(self._cpu_total) * _NANOSECOND,
                self._number(self._cpu_user) * _NANOSECOND,
                self._number(self._cpu_system) * _NANOSECOND,
            )
        text = os.pread(self._cpu_total, 512, 0)
        return (
            _find_field(text, b"usage_usec") * _MICROSECOND,
            _find_field(text, b"user_usec") * _MICROSECOND,
            _find_field(text, b"system_usec") * _MICROSECOND,
        )

    def _open(self, controller: str, name: str, flags: int = os.O_RDONLY) -> int:
        return os.open(f"{self._paths[controller]}/{name}", flags | os.O_CLOEXEC)

    def _write(self, controller: str, name: str, text: str, may_lack: bool = False) -> None:
        try:
            _write(f"{self._paths[controller]}/{name}", text)
        except FileNotFoundError:
            if not may_lack:
                raise

    @staticmethod
    def _number(fd: int) -> int:
        return int(os.pread(fd, 64, 0))

    @staticmethod
    def _field(fd: int, name: bytes) -> int:
        return _find_field(os.pread(fd, 512, 0), name)


def _find_field(text: bytes, name: bytes) -> int:
    """The number behind a name; 0 where the kernel does not tell it."""
    words = text.split()
    return int(words[words.index(name) + 1]) if name in words else 0


def _delegate(base: Path) -> tuple[str, ...]:
    """Make it possible to enable controllers below `base`, moving its processes aside.

    Returns those that are enabled.
    """
    try:
        available = (base / "cgroup.controllers").read_text().split()
    except OSError as error:
        raise CgroupError(f"cannot read {base}: {error.strerror}") from None
    missing = [name for name in V2_CONTROLLERS if name not in available]
    controllers = tuple(name for name in V2_CONTROLLERS if name in available)
    if missing not in ([], [SHARE]):
        raise CgroupError(
            f"cgroup {base} lacks the controllers {', '.join(missing)}; enable them in its "
            "parent's cgroup.subtree_control (systemd: Delegate=yes)"
        )
    aside = base / ASIDE
    rounds = 0
    while not _try_enable(base, controllers):
        # "No internal processes": whoever lives in a group with controllers moves into a child.
        rounds += 1
        if rounds > _MOVING_ROUNDS:
            raise CgroupError(f"processes in {base} cannot be moved aside, into {aside}")
        try:
            _move_processes(base, aside)
        except OSError as error:
            raise CgroupError(
                f"cannot move the processes in {base} aside, into {aside}: {error.strerror}; "
                "run as root or delegate that cgroup (systemd: Delegate=yes)"
            ) from None
    if aside.is_dir() and SHARE in controllers:
        _weigh(aside)
    return controllers


def _hand_on(directory: Path, controllers: tuple[str, ...]) -> None:
    """Give a new group's leaves their controllers; removes it where that cannot be."""
    try:
        _enable(directory, controllers)
        if SHARE in controllers:
            _weigh(directory)
    except OSError as error:
        directory.rmdir()
        raise CgroupError(
            f"cannot enable controllers below {directory}: {error.strerror}"
        ) from None


def _try_enable(base: Path, controllers: tuple[str, ...]) -> bool:
    """Enable the controllers; False where processes are in the way."""
    try:
        _enable(base, controllers)
    except OSError as error:
        if error.errno == errno.EBUSY:
            return False
        raise CgroupError(
            f"cannot enable controllers below {base}: {error.strerror}; run as root or delegate "
            "that cgroup (systemd: Delegate=yes)"
        ) from None
    return True


def _move_processes(base: Path, aside: Path) -> None:
    aside.mkdir(exist_ok=True)
    for pid in (base / "cgroup.procs").read_text().split():
        with contextlib.suppress(ProcessLookupError):
            _write(f"{aside}/cgroup.procs", pid)


def _weigh(directory: Path) -> None:
    """Give all sandboxes together, or all that is ours beside them, their weight."""
    weight = min(_TREE_WEIGHT_PER_CPU * (os.cpu_count() or 1), _MOST_WEIGHT)
    _write(f"{directory}/cpu.weight", str(weight))


def _enable(base: Path, controllers: tuple[str, ...]) -> None:
    _write(f"{base}/cgroup.subtree_control", " ".join(f"+{name}" for name in controllers))


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _subgroups(directory: str) -> list[str]:
    try:
        return [entry.path for entry in os.scandir(directory) if entry.is_dir()]
    except FileNotFoundError:
        return []


def _kill_all(path: str) -> None:
    """Kill every process of a group and wait until they are gone, or raise TimeoutError."""
    deadline = time.monotonic() + KILL_TIMEOUT_S
    while True:
        try:
            pids = [int(pid) for pid in Path(path, "cgroup.procs").read_text().split()]
        except FileNotFoundError:
            return
        pids = [pid for pid in pids if pid > 0]
        if not pids:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {pids} in {path} do not die")
        # All before any is waited for: one's end may depend on another's.
        pidfds = [pidfd for pid in pids if (pidfd := _kill(pid)) >= 0]
        for pidfd in pidfds:
            _wait(pidfd, deadline)
            os.close(pidfd)


def _kill(pid: int) -> int:
    """A descriptor of the process that was killed; -1: it is gone."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return -1
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    return pidfd


def _wait(pidfd: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.poll(max(1, int(1000 * (deadline - time.monotonic()))))


def _rmdir(path: str) -> None:
    """Remove a group, waiting for the last of its dead to be reaped."""
    deadline = time.monotonic() + KILL_TIMEOUT_S
    while True:
        try:
            os.rmdir(path)
            return
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
            # The kernel offers no event for "the last zombie left this group" on version 1.
            time.sleep(0.005)
