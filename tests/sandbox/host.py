"""What the host looks like from outside the sandboxes: processes, namespaces, mounts, leftovers."""

from __future__ import annotations

import os
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

#: Attacks that leave processes name them so (prctl PR_SET_NAME).
MARK = "dcx-"
NAMESPACES = ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup")
#: Where programs and careless supervisors leave files.
TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/dev/mqueue", "/work")
#: Programs run as users above any that a system gives out.
LAST_ORDINARY_UID = 0xFFFF
#: Between two looks at all processes; short next to the shortest program of the corpus.
LOOK_EVERY_S = 0.04


@dataclass(frozen=True, slots=True)
class Process:
    """One process as /proc shows it."""

    pid: int
    parent: int
    comm: str
    #: Real, effective, saved and file-system uid, in the host's user namespace.
    uids: tuple[int, ...]
    #: 2 once a filter is installed: what runs from then on is the program's.
    seccomp: int
    #: Inode of its pid namespace.
    pid_namespace: str


def processes() -> dict[int, Process]:
    """All processes now; those that end while we look are left out."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            process = _process(int(name))
            if process is not None:
                found[process.pid] = process
    return found


def _process(pid: int) -> Process | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text(errors="replace")
        namespace = os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None
    rows = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    if rows.get("State", "").startswith(("Z", "X")):
        namespace = ""
    return Process(
        pid=pid,
        parent=int(rows["PPid"]),
        comm=rows["Name"],
        uids=tuple(map(int, rows["Uid"].split())),
        seccomp=int(rows.get("Seccomp", "0")),
        pid_namespace=namespace,
    )


def descendants(root: int, table: dict[int, Process]) -> dict[int, Process]:
    """Those of the table that come from `root`, itself included."""
    children: dict[int, list[int]] = {}
    for process in table.values():
        children.setdefault(process.parent, []).append(process.pid)
    found, waiting = {}, [root]
    while waiting:
        pid = waiting.pop()
        if pid in table:
            found[pid] = table[pid]
        waiting += children.get(pid, [])
    return found


def marked(prefix: str = MARK) -> list[Process]:
    """Processes that an attack named, wherever they hang in the tree."""
    return [process for process in processes().values() if process.comm.startswith(prefix)]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What must be the same before and after; counts and names, never pids."""

    #: Processes of the farm by name, or of nothing where it has stopped.
    processes: Counter[str]
    #: Open descriptors of the farm's processes outside sandboxes, by process name.
    descriptors: Counter[str]
    #: Distinct namespaces by kind among the farm's processes.
    namespaces: Counter[str]
    #: Mounts in the host's own mount namespace.
    mounts: Counter[str]
    #: Directories below every cgroup hierarchy.
    cgroups: int
    #: Entries of the temporary directories.
    temporary: frozenset[str]
    #: SysV objects of the host's IPC namespace.
    ipc: int
    #: Abstract sockets of the host's network namespace.
    abstract: int

    def differences(self, other: Snapshot) -> list[str]:
        """What `other`, taken later, has more or less of; in words."""
        found = []
        for name in ("processes", "descriptors", "namespaces", "mounts"):
            before, after = getattr(self, name), getattr(other, name)
            for key in sorted(before.keys() | after.keys()):
                if before[key] != after[key]:
                    found.append(f"{name}: {key} {before[key]} -> {after[key]}")
        for name in ("cgroups", "ipc", "abstract"):
            if getattr(self, name) != getattr(other, name):
                found.append(f"{name}: {getattr(self, name)} -> {getattr(other, name)}")
        for path in sorted(self.temporary ^ other.temporary):
            found.append(f"temporary: {path} {'gone' if path in self.temporary else 'left'}")
        return found


def take(farm_pid: int, groups: frozenset[str] = frozenset(), folder: str = "") -> Snapshot:
    """The host now, with the farm whose first process is `farm_pid` (0: no farm).

    groups: names of its control groups, for when it has stopped (see control_groups()).
    folder: where its processes keep temporary files; all of it counts.
    """
    table = processes()
    farm = descendants(farm_pid, table) if farm_pid else {}
    ours = os.readlink("/proc/self/ns/pid")
    spaces: dict[str, set[str]] = {kind: set() for kind in NAMESPACES}
    descriptors: Counter[str] = Counter()
    for process in farm.values():
        for kind in NAMESPACES:
            try:
                spaces[kind].add(os.readlink(f"/proc/{process.pid}/ns/{kind}"))
            except OSError:
                continue
        if process.pid_namespace == ours:
            descriptors[process.comm] += _descriptors(process.pid)
    return Snapshot(
        processes=Counter(process.comm for process in farm.values()),
        descriptors=descriptors,
        namespaces=Counter({kind: len(found) for kind, found in spaces.items()}),
        mounts=Counter(
            line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()
        ),
        cgroups=_cgroup_directories(groups),
        temporary=frozenset(_temporary(folder)),
        ipc=sum(
            len(Path(f"/proc/sysvipc/{kind}").read_text().splitlines()) - 1
            for kind in ("shm", "sem", "msg")
            if os.path.exists(f"/proc/sysvipc/{kind}")
        ),
        abstract=sum(
            line.split()[-1].startswith("@")
            for line in Path("/proc/net/unix").read_text().splitlines()[1:]
        ),
    )


def _descriptors(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def control_groups(farm_pid: int) -> frozenset[str]:
    """Names of the control groups that the farm's processes made for their sandboxes."""
    pids = descendants(farm_pid, processes())
    return frozenset(f"dcodex-{pid}" for pid in pids)


def _cgroup_directories(groups: frozenset[str]) -> int:
    total = 0
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if after.startswith("cgroup"):
            for folder, _, _ in os.walk(before.split()[4]):
                total += bool(groups.intersection(folder.split("/")))
    return total


def _temporary(folder: str) -> list[str]:
    """Everything below `folder`, and in the common places what a program's user owns."""
    found = []
    for root, folders, names in os.walk(folder) if folder else ():
        found += [os.path.join(root, name) for name in (*folders, *names)]
    for place in TEMPORARY:
        try:
            entries = list(os.scandir(place))
        except OSError:
            continue
        for entry in entries:
            try:
                owner = entry.stat(follow_symlinks=False).st_uid
            except OSError:
                continue
            if owner > LAST_ORDINARY_UID:
                found.append(entry.path)
    return found


class Watcher:
    """Looks at the farm's processes again and again; remembers what must never be seen."""

    def __init__(self, farm_pid: int) -> None:
        self._farm_pid = farm_pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)
        self._ours = os.readlink("/proc/self/ns/pid")
        #: Looks taken so far.
        self.looks = 0
        #: Program processes seen so far, by pid.
        self.programs: set[int] = set()
        #: What was seen that must not be, in words; empty on a sound host.
        self.violations: set[str] = set()

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End after the look under way."""
        self._ended.set()
        self._thread.join(10)

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """One look at everything."""
        self.looks += 1
        for process in descendants(self._farm_pid, processes()).values():
            if not process.pid_namespace:
                continue  # dead, and not yet reaped
            if process.pid_namespace == self._ours:
                if process.comm.startswith(MARK):
                    self.violations.add(f"{process.comm} runs outside any sandbox")
                continue
            if process.seccomp != 2:
                continue  # still being set up by our own code
            self.programs.add(process.pid)
            if 0 in process.uids:
                self.violations.add(f"{process.comm} runs as the host's root")
