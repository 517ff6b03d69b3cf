"""The table of mechanisms: how each is taken out, and which attack then gets through.

A removal is Python that is added to a module of the worker's in a copy of its code: there it
replaces the function that installs the mechanism by one that does not. A defence is an attack
with the layers that stop it, each of which does so alone: with all of them taken out it gets
through, and with any single one in place it does not.
"""

from __future__ import annotations

import resource
from dataclasses import dataclass

from tests.sandbox.workbench import CANARY, LISTENERS, SHOWN, Job

from dcodex_shared.limits import MIB

#: Stands for the scratch directory in a job's arguments.
SCRATCH = "{scratch}"


def _changed_calls(change: str) -> str:
    """Written lists without a call, or with another in its place.

    change: statements that may set `number` to None, or change it and `arguments`.
    """
    return f"""
def _changed(self, number, *arguments, result=SUCCESS, _call=Errand.call):
    {change}
    return -1 if number is None else _call(self, number, *arguments, result=result)
Errand.call = _changed
"""


def _without_flag(flag: str) -> dict[str, str]:
    """unshare(2) without one namespace."""
    return {
        "sandbox/kernel.py": f"""
_unshare = unshare
def unshare(flags):
    if flags & ~{flag}:
        _unshare(flags & ~{flag})
""",
        "sandbox/errand.py": _changed_calls(
            "arguments = (arguments[0] & ~kernel."
            + flag
            + ",) if number == Number.UNSHARE else arguments"
        ),
    }


def _without_rlimit(name: str) -> dict[str, str]:
    number = getattr(resource, f"RLIMIT_{name}")
    return {
        "sandbox/rlimits.py": f"""
import types
_setrlimit = resource.setrlimit
resource = types.SimpleNamespace(**vars(resource))
resource.setrlimit = lambda which, limits: (
    None if which == resource.RLIMIT_{name} else _setrlimit(which, limits)
)
""",
        "sandbox/errand.py": _changed_calls(
            f"if number == Number.PRLIMIT64 and arguments[1] == {number}: number = None"
        ),
    }


def _without_write(name: str) -> dict[str, str]:
    """Control groups without the limit that is written to this file."""
    return {
        "sandbox/cgroup.py": f"""
_group_write = Leaf._write
def _selective(self, controller, name, text, may_lack=False):
    if name != "{name}":
        _group_write(self, controller, name, text, may_lack)
Leaf._write = _selective
"""
    }


#: Mechanism to what takes it out: module to the text that is added to it.
REMOVALS: dict[str, dict[str, str]] = {
    "seccomp": {
        "sandbox/seccomp.py": """
def plan(errand, chosen, channel, words, fd):
    errand.call(Number.SENDMSG, channel, wireform.outgoing(errand, words), 0)
"""
    },
    "hidden processes": {"sandbox/mounts.py": '_OTHERS_HIDDEN = ""'},
    "count of sockets": {"sandbox/sockets.py": "def decide_socket(alive): return None"},
    "landlock": {
        "sandbox/landlock.py": """
def plan(errand, interface, queues, fd):
    errand.call(Number.CLOSE, queues)
"""
    },
    "no_new_privs": {
        "sandbox/errand.py": _changed_calls(
            "if number == Number.PRCTL and arguments[0] == kernel.PR_SET_NO_NEW_PRIVS:"
            " number = None"
        )
    },
    "capabilities": {"sandbox/credentials.py": "def _plan_capabilities(errand): pass"},
    "user id": {
        "runtimes/slots.py": """
from dataclasses import replace
_take = Slots.take
def _as_root(self):
    slot = _take(self)
    return replace(slot, identity=Identity(0, slot.identity.init_id))
Slots.take = _as_root
"""
    },
    "user id of each slot": {
        "runtimes/slots.py": """
from dataclasses import replace
_take_one = Slots.take
def _all_the_same(self):
    slot = _take_one(self)
    return replace(slot, identity=Identity(self._first_id, slot.identity.init_id))
Slots.take = _all_the_same
"""
    },
    "init's user id": {
        "runtimes/slots.py": """
from dataclasses import replace
_take_other = Slots.take
def _one_user(self):
    slot = _take_other(self)
    return replace(slot, identity=Identity(slot.identity.host_id, slot.identity.host_id))
Slots.take = _one_user
"""
    },
    "user namespace": {
        "sandbox/credentials.py": """
def plan(errand, host_id, fd):
    errand.call(Number.SETGROUPS, 0, 0)
    errand.call(Number.SETRESGID, host_id, host_id, host_id)
    errand.call(Number.SETRESUID, host_id, host_id, host_id)
    errand.call(Number.CAPSET, struct.pack("=2I", kernel.CAPABILITY_VERSION_3, 0), bytes(24))
    errand.call(Number.PRCTL, kernel.PR_SET_NO_NEW_PRIVS, 1)
    errand.call(Number.PRCTL, kernel.PR_SET_DUMPABLE, 1)
"""
    },
    "pid namespace": _without_flag("CLONE_NEWPID"),
    "network namespace": _without_flag("CLONE_NEWNET"),
    "IPC namespace": _without_flag("CLONE_NEWIPC"),
    "cgroup namespace": _without_flag("CLONE_NEWCGROUP"),
    "UTS namespace": _without_flag("CLONE_NEWUTS")
    | {
        "sandbox/rootfs.py": """
import types
socket = types.SimpleNamespace(sethostname=lambda name: None)
"""
    },
    "mount namespace": {
        # The template's and the keeper's stay: without, the host's own mounts would go.
        "sandbox/errand.py": _changed_calls(
            "arguments = (arguments[0] & ~kernel.CLONE_NEWNS,)"
            " if number == Number.UNSHARE else arguments"
        )
    },
    "leaving the host's root": {
        "sandbox/rootfs.py": """
_enter = enter
def enter(staging, extra, library):
    unmount, kernel.unmount = kernel.unmount, lambda target: None
    _enter(staging, extra, library)
    kernel.unmount = unmount
"""
    },
    "leaving the template's root": {
        "sandbox/rootfs.py": """
_enter_front = enter_front
def enter_front(*rest):
    unmount = kernel.unmount
    kernel.unmount = lambda target: None if target == "." else unmount(target)
    try:
        return _enter_front(*rest)
    finally:
        kernel.unmount = unmount
"""
    },
    "hiding of what is installed by hand": {"sandbox/rootfs.py": "def _hide(root): pass"},
    "read-only mounts": {"sandbox/kernel.py": "MOUNT_ATTR_RDONLY = 0"},
    "nosuid": {"sandbox/kernel.py": "MOUNT_ATTR_NOSUID = MS_NOSUID = 0"},
    "overlays": {"sandbox/rootfs.py": "def _overlay(source, target, *_): _bind(source, target)"},
    "masks in /proc": {
        "sandbox/mounts.py": """
_plan_proc = plan_proc
def plan_proc(errand, present):
    _plan_proc(errand, ())
"""
    },
    "read-only /proc/sys": {
        "sandbox/errand.py": """
_mount = Errand.mount
def _mount_most(self, source, target, kind, flags, data=""):
    if target != "/proc/sys":
        _mount(self, source, target, kind, flags, data)
Errand.mount = _mount_most
"""
    },
    "size of tmpfs": {
        "sandbox/mounts.py": """
_plan_writable = plan_writable
def plan_writable(errand, tmpfs_bytes, host_id):
    _plan_writable(errand, 1 << 40, host_id)
"""
    },
    "session": {
        "sandbox/errand.py": _changed_calls("if number == Number.SETSID: number = None"),
    },
    "keyring": {"sandbox/keyring.py": "def plan(errand, lenient): pass"},
    "oom score": {
        "sandbox/errand.py": """
_write_file = Errand.write_file
def _write_most(self, path, text, fd):
    if path != "/proc/self/oom_score_adj":
        _write_file(self, path, text, fd)
Errand.write_file = _write_most
"""
    },
    "closing of descriptors": {
        # Only of low ones: what is opened afterwards is expected to get their numbers.
        "sandbox/errand.py": _changed_calls(
            "if number == Number.CLOSE_RANGE: arguments = (arguments[0], 63, 0)"
        ),
    },
    "environment": {
        "template/launcher.py": """
_execve = os.execve
os.execve = lambda path, argv, ours: _execve(path, argv, {**os.environ, **ours})
"""
    },
    "deaf init": {
        "sandbox/errand.py": _changed_calls(
            "if number == Number.RT_SIGACTION: arguments = (arguments[0], 0, *arguments[2:])"
        ),
    },
    "init's death signal": {
        "sandbox/errand.py": _changed_calls(
            "if arguments[:2] == (1, 9): arguments = (1, 0)"  # PR_SET_PDEATHSIG, SIGKILL
        ),
    },
    "worker kills init": {
        "sandbox/box.py": """
Sandbox._kill = lambda self: None
DESTROY_TIMEOUT_S = 0.3
"""
    },
    "memory limit": {
        "sandbox/cgroup.py": "Leaf._limit_memory = lambda self, memory_bytes: None",
    },
    "control group's killing": {
        "sandbox/cgroup.py": """
KILL_TIMEOUT_S = 0.3
def _kill_all(path): pass
"""
    },
    "bound on sockets": {"sandbox/sockets.py": "def decide_socket(alive): return None"},
    "share of the processors": {
        "sandbox/cgroup.py": """
_open_procs = Leaf.open_procs
def _all_but_one(self):
    paths, self._paths = self._paths, {k: v for k, v in self._paths.items() if k != "cpu"}
    try:
        return _open_procs(self)
    finally:
        self._paths = paths
Leaf.open_procs = _all_but_one
"""
    },
    "TCP buffers' limit": _without_write("memory.kmem.tcp.limit_in_bytes"),
    "process limit": _without_write("pids.max"),
    "CPU clock": {"sandbox/cgroup.py": "Leaf._cpu = lambda self: (0.0, 0.0, 0.0)"},
    "wall clock": {"execution.py": "Execution.expire = lambda self, now: None"},
    "output limit": {
        "execution.py": """
_take = Execution.take
def _take_all(self, stream, data, now):
    self._output_left = 1 << 40
    _take(self, stream, data, now)
Execution.take = _take_all
"""
    },
    "openat2": {
        "sandbox/kernel.py": """
def open_beneath(directory, path, flags):
    return os.open(path, flags | os.O_CLOEXEC, dir_fd=directory)
"""
    },
    "regular files only": {
        "sandbox/products.py": """
import types
stat = types.SimpleNamespace(**vars(stat))
stat.S_ISREG = lambda mode: True
_fstat = os.fstat
os = types.SimpleNamespace(**vars(os))
os.fstat = lambda fd: types.SimpleNamespace(st_mode=_fstat(fd).st_mode, st_size=1)
"""
    },
    "copied products": {
        "sandbox/products.py": """
copied = lambda product: product
"""
    },
    "compile limits": {
        "runtimes/workshop.py": """
_set_up = Workshop.__init__
def _generous(self, settings, slot):
    _set_up(self, settings, slot)
    self._compile_limits = replace(self._compile_limits, cpu_s=60.0, wall_s=60.0)
Workshop.__init__ = _generous
"""
    },
    "compilers' environment": {
        "runtimes/native.py": """
_begin = ArmedNative.begin
def _steered(self, program):
    stage = _begin(self, program)
    environment = {**ENVIRONMENT, **dict(program.environment)}
    launch = replace(stage.launch, environment=tuple(environment.items()), benched=False)
    return replace(stage, launch=launch)
ArmedNative.begin = _steered
from dataclasses import replace
"""
    },
} | {
    f"RLIMIT_{name}": _without_rlimit(name)
    for name in (
        "CORE",
        "CPU",
        "FSIZE",
        "MEMLOCK",
        "MSGQUEUE",
        "NICE",
        "NOFILE",
        "RTPRIO",
        "SIGPENDING",
        "STACK",
    )
}


#: Settings for the sake of a defence's `aside`, written like removals.
CHANGES: dict[str, dict[str, str]] = {
    # Does not start without no_new_privs.
    "holder": {"sandbox/holder.py": "def plan(errand): pass"},
    "low RLIMIT_MEMLOCK": {"sandbox/rlimits.py": "LOCKED_BYTES = 1 << 20"},
    "low RLIMIT_MSGQUEUE": {"sandbox/rlimits.py": "MESSAGE_QUEUE_BYTES = 120_000"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Defence:
    """An attack, and the layers that stop it."""

    name: str
    job: Job
    #: Each with what its stopping looks like: a pattern in the attack's story.
    layers: dict[str, str]
    #: What the story shows when all of them are taken out.
    through: str
    #: Also taken out or changed in every case: what would hide the layers.
    aside: tuple[str, ...] = ()
    #: A capability without which this host has the same limit anyway.
    needs: str = ""


def _leak(name: str) -> str:
    """A probe that found this."""
    return rf"LEAK:[^\n]*{name}"


CONTAINED = r"(?m)^CONTAINED"

FILES = (
    Defence(
        name="write to a directory of the host that all may write to",
        job=Job(file="write_shown.py", args=(SHOWN,)),
        layers={"read-only mounts": "append=EROFS", "landlock": "append=EACCES"},
        through=_leak("append"),
    ),
    Defence(
        name="become root by a setuid file of the host",
        job=Job(file="setuid_root.c", args=(f"{SHOWN}/setuid-root",)),
        layers={"nosuid": CONTAINED, "no_new_privs": CONTAINED, "user namespace": CONTAINED},
        through="LEAK:root",
        # All refuse to be entered without no_new_privs.
        aside=("landlock", "seccomp", "holder"),
    ),
    Defence(
        name="climb to the host's root",
        job=Job(file="climb.py", args=(f"{SCRATCH}/hidden/secret",)),
        layers={"leaving the host's root": CONTAINED, "leaving the template's root": CONTAINED},
        # Then the keeper itself is in the host's root, which is laid out otherwise.
        through="setup=(mounts|proc):ENOENT",
        aside=("landlock",),
    ),
    Defence(
        name="see what an administrator has installed",
        job=Job(file="usr_local.py"),
        layers={"hiding of what is installed by hand": CONTAINED},
        through=_leak("/usr/local"),
    ),
    Defence(
        name="lock a file that others are shown",
        job=Job(
            file="lock_shared.py",
            args=(f"{SCRATCH}/extra/file",),
            locks=f"{SCRATCH}/extra/file",
        ),
        layers={"overlays": "free=True"},
        through="free=False",
    ),
    Defence(
        name="see mounts of the program before",
        job=Job(file="mounts_seen.py", times=2),
        layers={"mount namespace": CONTAINED},
        through=_leak("one work directory"),
    ),
    Defence(
        name="fill /tmp",
        job=Job(
            file="hundred_megabytes.py",
            args=("files",),
            tmpfs_bytes=32 * MIB,
            memory_bytes=64 * MIB,
            file_size_bytes=128 * MIB,
        ),
        layers={"size of tmpfs": "CONTAINED 28", "memory limit": "MEMORY_LIMIT"},
        through="LEAK:had",
    ),
    Defence(
        name="make files without end",
        job=Job(file="five_thousand_names.py", tmpfs_bytes=4 * MIB),
        layers={"size of tmpfs": "CONTAINED 28"},
        through="LEAK:five",
    ),
    Defence(
        name="read secrets in /proc",
        job=Job(file="procfs_secrets.py"),
        layers={"masks in /proc": CONTAINED},
        through=_leak("/proc/"),
    ),
    Defence(
        name="set a switch of the kernel",
        job=Job(file="sysctl.py"),
        layers={"read-only /proc/sys": "hostname=EROFS", "user id": "hostname=EACCES"},
        through=_leak("hostname"),
    ),
    Defence(
        name="have a file of root's collected through a link",
        job=Job(file="product_link.py", args=(f"{SCRATCH}/shown/for-root",), collect="product"),
        layers={"openat2": "collected=;"},
        through=f"collected={CANARY}",
    ),
    Defence(
        name="have a file of root's collected through a folder's link",
        job=Job(file="product_climb.py", args=(f"{SCRATCH}/shown",), collect="folder/for-root"),
        layers={"openat2": "collected=;"},
        through=f"collected={CANARY}",
    ),
    Defence(
        name="have a FIFO collected",
        job=Job(file="product_fifo.py", collect="product"),
        layers={"regular files only": "collected=;", "copied products": "collected=;"},
        through="collected=no regular file",
    ),
)
WHO = (
    Defence(
        name="have capabilities",
        job=Job(file="identity.py"),
        layers={"capabilities": CONTAINED},
        through=_leak("CapEff"),
    ),
    Defence(
        name="change the root",
        job=Job(file="chroot.py"),
        layers={"capabilities": "chroot=EPERM", "seccomp": "chroot=EPERM"},
        through=_leak("chroot"),
    ),
    Defence(
        name="be the host's root",
        job=Job(file="identity.py"),
        layers={"user id": CONTAINED},
        through=_leak("outer uid is not 0"),
    ),
    Defence(
        name="be a user of the host's own namespace",
        job=Job(file="identity.py"),
        layers={"user namespace": CONTAINED},
        through=_leak("own user namespace"),
    ),
    Defence(
        name="go on with what may raise privileges",
        job=Job(file="identity.py"),
        layers={"no_new_privs": CONTAINED},
        # Arming itself does not go on.
        through="setup=landlock:EPERM",
        aside=("holder",),
    ),
    Defence(
        name="install the filter with what may raise privileges",
        job=Job(file="identity.py"),
        layers={"no_new_privs": CONTAINED},
        through="setup=seccomp:EACCES",
        aside=("landlock", "holder"),
    ),
    Defence(
        name="fill the memory that all filters share",
        job=Job(file="filter_memory.c"),
        layers={"seccomp": CONTAINED},
        through=_leak("attach"),
    ),
    Defence(
        name="hold more sockets than are counted to anybody",
        job=Job(file="socket_flood.c"),
        layers={"count of sockets": CONTAINED},
        through=_leak("sockets"),
    ),
    Defence(
        name="steer init",
        job=Job(file="pid_one.py"),
        layers={"init's user id": CONTAINED},
        through=_leak("prlimit"),
        aside=("landlock", "hidden processes"),
    ),
    Defence(
        name="take what the kernel counts by user",
        job=Job(
            file="user_limits.py",
            args=("look",),
            neighbour="user_limits.py",
            neighbour_args=("hold",),
        ),
        layers={"user id of each slot": CONTAINED},
        through="LEAK:nothing",
    ),
    Defence(
        name="kill a neighbour",
        job=Job(
            file="signal_neighbour.py",
            args=("dcx-victim",),
            neighbour="signal_neighbour.py",
            neighbour_args=("dcx-victim", "be"),
        ),
        layers={
            "pid namespace": r"CONTAINED\n\n",
            "user id of each slot": "kill=EPERM",
            "landlock": "kill=EPERM",
        },
        through=_leak("kill"),
        aside=("hidden processes",),
    ),
    Defence(
        name="find a key of the supervisor's",
        job=Job(file="keyring.py", args=(CANARY,)),
        layers={"keyring": CONTAINED, "seccomp": "session keyring=EPERM"},
        through=_leak("key in session keyring"),
    ),
    Defence(
        name="speak to the supervisor's terminal",
        job=Job(file="terminal.py"),
        layers={"session": "terminal=ENXIO"},
        through=_leak("terminal"),
    ),
    Defence(
        name="keep the supervisor's descriptors",
        job=Job(file="descriptors.py"),
        layers={"closing of descriptors": CONTAINED},
        through=_leak("only 0, 1, 2"),
    ),
    Defence(
        name="read the supervisor's environment",
        job=Job(file="environment.py", args=(CANARY,), environment=(("ASKED", "for"),)),
        layers={"environment": CONTAINED},
        through=_leak("no word of the host"),
    ),
)
SEEN = (
    Defence(
        name="see the host's processes",
        job=Job(file="procfs_pids.py"),
        layers={"pid namespace": CONTAINED, "hidden processes": CONTAINED},
        through=_leak("few processes"),
    ),
    Defence(
        name="reach the host's loopback",
        job=Job(file="host_network.py", args=LISTENERS[:1]),
        layers={"network namespace": CONTAINED},
        through=_leak("connect 127.0.0.1"),
    ),
    Defence(
        name="reach an abstract socket of the host's",
        job=Job(file="host_network.py", args=LISTENERS[1:]),
        layers={"network namespace": " 1=ECONNREFUSED", "landlock": " 1=EPERM"},
        through=_leak("abstract"),
    ),
    Defence(
        name="see a neighbour's IPC objects",
        job=Job(file="find_left.py", neighbour="leave_everything.py", neighbour_args=("60",)),
        layers={"IPC namespace": CONTAINED},
        through=_leak("no sysv shm,no sysv sem,no sysv msg,no mq"),
    ),
    Defence(
        name="read the host's name",
        job=Job(file="host_names.py", args=(CANARY,)),
        layers={"UTS namespace": CONTAINED},
        through=_leak("hostname is not the host's"),
    ),
    Defence(
        name="read the path of its group",
        job=Job(file="procfs_pids.py"),
        layers={"cgroup namespace": CONTAINED},
        through=_leak("cgroup path is /"),
    ),
)
CALLS = (
    Defence(
        name="call what no program needs",
        job=Job(file="rare_syscalls.c"),
        layers={"seccomp": CONTAINED},
        through=_leak("userfaultfd"),
    ),
    Defence(
        name="make namespaces",
        job=Job(file="namespaces.c"),
        layers={"seccomp": CONTAINED},
        through=_leak("unshare user"),
    ),
    Defence(
        name="enter by the 32-bit gate",
        job=Job(file="int80.c"),
        layers={"seccomp": CONTAINED},
        through=_leak("int 0x80 kills"),
    ),
    Defence(
        name="open a rare kind of socket",
        job=Job(file="odd_families.py"),
        layers={"seccomp": CONTAINED},
        through=_leak("family"),
    ),
)
LIFE = (
    Defence(
        name="outlive main",
        job=Job(file="daemon.py"),
        layers={
            "worker kills init": "left=;",
            # The keeper dies with its worker, and init with the keeper.
            "init's death signal": "left=dcx-daemon;.*left at end=;",
            "control group's killing": "left=dcx-daemon;.*left at end=;",
        },
        through="left at end=dcx-daemon",
    ),
    Defence(
        name="outlive main where nobody dies with init",
        job=Job(file="outlive.py"),
        layers={
            "pid namespace": "left=;",
            "control group's killing": "left=dcx-outlive;.*left at end=;",
        },
        through="left at end=dcx-outlive",
    ),
    Defence(
        name="outlive the keeper",
        job=Job(file="linger.py", kill_keeper=True),
        layers={"init's death signal": "left=;", "worker kills init": "left=;"},
        through="left=dcx-linger",
    ),
    Defence(
        name="be left to init by the dozen",
        job=Job(file="orphans.py", processes=24),
        layers={"deaf init": CONTAINED},
        through="LEAK:orphans",
    ),
)
LIMITS = (
    Defence(
        name="take memory",
        job=Job(file="hundred_megabytes.py", memory_bytes=64 * MIB),
        layers={"memory limit": "MEMORY_LIMIT"},
        through="LEAK:had",
    ),
    Defence(
        name="take memory behind sockets",
        job=Job(file="tcp_hog.c", memory_bytes=64 * MIB),
        layers={"TCP buffers' limit": "MEMORY_LIMIT|CONTAINED"},
        through="LEAK:socket-memory",
    ),
    Defence(
        name="make sockets without end",
        job=Job(file="netlink_hog.c", processes=48),
        layers={"bound on sockets": CONTAINED},
        # So many that filling them takes longer than it may.
        through="CPU_LIMIT|LEAK",
    ),
    Defence(
        name="be the last to go when memory is short",
        job=Job(file="first_to_go.py"),
        layers={"oom score": CONTAINED},
        through=_leak("highest score"),
    ),
    Defence(
        name="fork without end",
        job=Job(file="process_limit.c", processes=24, memory_bytes=1024 * MIB),
        layers={"process limit": "PROCESS_LIMIT"},
        through="LEAK:no-bound",
    ),
    Defence(
        name="burn in children that nobody waits for",
        job=Job(file="cpu_burn_forked.py", cpu_s=0.2, wall_s=4.0),
        layers={"CPU clock": "CPU_LIMIT"},
        # RLIMIT_CPU, which counts each process, is not in reach.
        through="WALL_LIMIT",
    ),
    Defence(
        name="take the processors by numbers",
        job=Job(
            file="burn_beside.py",
            args=("1",),
            neighbour="burn_beside.py",
            neighbour_args=("6",),
            share=True,
        ),
        layers={"share of the processors": " fair"},
        through="unfair",
    ),
    Defence(
        name="burn in one process",
        job=Job(file="burn_some.py", cpu_s=0.1, wall_s=60.0, patience_s=60.0),
        layers={"CPU clock": "CPU_LIMIT", "RLIMIT_CPU": "SIGNALED"},
        through="LEAK:burnt",
    ),
    Defence(
        name="sleep on",
        job=Job(file="sleep_past_wall.py", wall_s=0.3, patience_s=4.0),
        layers={"wall clock": "WALL_LIMIT"},
        through="unended",
    ),
    Defence(
        name="say too much",
        job=Job(file="exact_output.py", args=("100001",), output_bytes=100_000),
        layers={"output limit": "OUTPUT_LIMIT"},
        through="OK .*text=100001",
    ),
    Defence(
        name="dump core",
        job=Job(file="core_dump.py"),
        layers={"RLIMIT_CORE": CONTAINED},
        through="LEAK:no command of the host",
    ),
    Defence(
        name="write a large file",
        job=Job(file="file_size.py", args=(str(MIB),), file_size_bytes=MIB),
        layers={"RLIMIT_FSIZE": CONTAINED},
        through="LEAK:no-bound",
    ),
    Defence(
        name="lock memory",
        job=Job(file="locked_memory.py"),
        layers={"RLIMIT_MEMLOCK": CONTAINED},
        through="LEAK:locked",
        # Lower than what the host may have itself, and may be unable to raise.
        aside=("low RLIMIT_MEMLOCK",),
    ),
    Defence(
        name="fill message queues",
        job=Job(file="mq_hog.py"),
        layers={"RLIMIT_MSGQUEUE": r"CONTAINED 1\n"},
        through=r"CONTAINED [2-9]",
        aside=("low RLIMIT_MSGQUEUE",),
    ),
    Defence(
        name="raise its priority",
        job=Job(file="priority_up.py"),
        layers={"RLIMIT_NICE": CONTAINED},
        through=_leak("setpriority"),
        needs="SYS_RESOURCE",
    ),
    Defence(
        name="run in real time",
        job=Job(file="priority_up.py"),
        layers={"RLIMIT_RTPRIO": CONTAINED},
        through=_leak("fifo"),
        needs="SYS_RESOURCE",
    ),
    Defence(
        name="open files without end",
        job=Job(file="open_files.py", args=("64",), open_files=64),
        layers={"RLIMIT_NOFILE": CONTAINED},
        through="LEAK",
    ),
    Defence(
        name="queue signals without end",
        job=Job(file="pending_signals.py"),
        layers={"RLIMIT_SIGPENDING": "CONTAINED 409"},
        through="LEAK:no-bound",
    ),
    Defence(
        name="have a stack without end",
        job=Job(file="stack_hog.c"),
        layers={"RLIMIT_STACK": CONTAINED},
        through=_leak("bounded"),
    ),
)
COMPILERS = (
    Defence(
        name="compile for ever",
        job=Job(file="constexpr_loop.cpp", compile_cpu_s=0.5, patience_s=8.0),
        layers={"compile limits": "COMPILE_LIMIT"},
        through="unended",
    ),
    Defence(
        name="steer the compiler by its environment",
        job=Job(
            file="include_steered.c",
            compile_cpu_s=5.0,
            environment=(("CPATH", "/usr/include/net"),),
        ),
        layers={"compilers' environment": CONTAINED},
        through="LEAK:steered",
    ),
)

DEFENCES: tuple[Defence, ...] = (
    *FILES,
    *WHO,
    *SEEN,
    *CALLS,
    *LIFE,
    *LIMITS,
    *COMPILERS,
)
