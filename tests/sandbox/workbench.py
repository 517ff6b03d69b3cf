"""Runs programs in sandboxes of a worker's own making, without a farm: for test_mechanisms.py.

A process of its own, `python -P -m tests.sandbox.workbench PLAN`, whose PYTHONPATH names the code
of the worker to use, whole or with a mechanism taken out. PLAN is a Plan as JSON; the answer is
one Seen as JSON a line. It lives in network, IPC and UTS namespaces of its own, so that what
gets out of a sandbox without walls does not get into the host.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import select
import signal
import socket
import stat
import struct
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.sandbox import host, lacking
from tests.sandbox.corpus import ATTACKS_DIR

from dcodex_shared.config import WorkerSettings
from dcodex_shared.limits import DEFAULT_LIMITS, MIB
from dcodex_shared.messages import Finished, Lease, Message, Output, Verdict
from dcodex_shared.program import Program, SourceFile, unpack_records
from dcodex_worker.execution import Execution
from dcodex_worker.running import Run
from dcodex_worker.runtimes import Slots, Stage, Workshop, python
from dcodex_worker.runtimes.stage import Armed
from dcodex_worker.runtimes.templates import Templates
from dcodex_worker.sandbox import kernel
from dcodex_worker.sandbox.box import Keeper, Launch, Sandbox, SetupError
from dcodex_worker.template.launcher import ENVIRONMENT
from dcodex_worker.template.starter import Template, TemplatePlan

#: Where a sandbox shows a directory of the test as it shows that of precompiled headers.
SHOWN = "/.dcodex/shown"
#: What the test's process holds and no program may see.
CANARY = "dcodex-canary"
#: An abstract socket and a port that the test's process listens on.
LISTENERS = ("tcp=127.0.0.1:18099", "abstract=dcodex-bench")
#: A program that a neighbour waits for has said so by then, in seconds.
READY_S = 10.0
#: After a sandbox was destroyed, what is left of it is gone by then, in seconds.
GONE_S = 1.0
_WINDOW_BYTES = 1 << 20
_CORES = 2
_PR_SET_CHILD_SUBREAPER = 36
_NEW_UTS, _NEW_IPC, _NEW_NET = 0x04000000, 0x08000000, 0x40000000
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1
_SYS_ADD_KEY = 248
_SYS_KEYCTL = 250
_JOIN_SESSION_KEYRING = 1
_SESSION_KEYRING = -3


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One program, and what happens around it."""

    #: Below attacks/.
    file: str
    #: An executable made from it, for what is written in C; "" for Python.
    executable: str = ""
    args: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    cpu_s: float = 3.0
    wall_s: float = 8.0
    memory_bytes: int = 128 * MIB
    processes: int = 32
    output_bytes: int = MIB
    open_files: int = 256
    file_size_bytes: int = 64 * MIB
    #: Of the work directory and its like.
    tmpfs_bytes: int = 64 * MIB
    #: Seconds until the test itself ends it: longer than its limits.
    patience_s: float = 12.0
    #: Runs in another sandbox, from before it says anything until this one has ended.
    neighbour: str = ""
    neighbour_args: tuple[str, ...] = ()
    #: Run it so often, each time in a fresh sandbox of the same keeper.
    times: int = 1
    #: Compile it, with these limits for the compiler.
    compile_cpu_s: float = 0.0
    #: A path to collect, whose content is shown.
    collect: str = ""
    #: When its first word has come: kill its keeper, or try to lock this file.
    kill_keeper: bool = False
    #: Compare its CPU time with the neighbour's.
    share: bool = False
    locks: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do."""

    #: A directory outside /tmp and /work; has `extra` and `shown`, which programs see, and
    #: `hidden`, which they do not.
    scratch: str
    jobs: tuple[Job, ...]
    #: System calls that the kernel refuses to the worker.
    blocked: tuple[int, ...] = ()


@dataclass(slots=True)
class Seen:
    """What came of one job."""

    file: str
    verdict: str = ""
    exit_code: int = 0
    message: str = ""
    #: Standard output and error, mixed.
    text: str = ""
    #: The step and error that setting up failed with.
    setup: str = ""
    #: It was still running when the test's patience was at its end.
    unended: bool = False
    #: Processes that it named, when its sandbox had been destroyed, and when its group was gone.
    left: list[str] = field(default_factory=list)
    left_at_end: list[str] = field(default_factory=list)
    #: What the collected file holds.
    collected: str = ""
    #: Its CPU time as a multiple of the neighbour's.
    share: float = -1.0
    #: Whether the lock on the file that it locked too was free outside.
    lock_free: bool | None = None


class Bench:
    """Slots and a template of the bare standard library."""

    def __init__(self, plan: Plan, directory: str) -> None:
        self._settings = WorkerSettings(
            runtime_dir=directory,
            compile_cache_dir=f"{directory}/cache",
            compile_cache_bytes=0,
            preload=(),
            slots=2,
        )
        self._directory = directory
        self.slots = Slots(self._settings)
        self._taken = [self.slots.take(), self.slots.take()]
        interpreter = python.find(self._settings)
        extra = (*interpreter.extra, f"{plan.scratch}/extra")
        shown = ((f"{plan.scratch}/shown", SHOWN),)
        self._template = Template(
            TemplatePlan("bench", interpreter.path, (), extra, shown), directory
        )
        self._template.start(0.0)
        self._leaves = 0

    def close(self) -> None:
        """End and remove all of it."""
        self._template.close()
        self.slots.close()

    def keeper(self, slot: int, tmpfs_bytes: int) -> Keeper:
        """A keeper in a leaf of its own."""
        self._leaves += 1
        place = self._taken[slot]
        return Keeper(
            self._template.path,
            place.tree,
            f"{place.leaf_prefix}{self._leaves}",
            place.identity,
            tmpfs_bytes,
        )

    def _group(self, slot: int) -> str:
        """The directory of the last keeper's group, which must be this slot's."""
        place = self._taken[slot]
        return f"{place.tree.directories[0][1]}/{place.leaf_prefix}{self._leaves}"

    def run(self, job: Job) -> Seen:
        """Do one job."""
        seen = Seen(job.file)
        try:
            if job.compile_cpu_s:
                self._compile(job, seen)
                return seen
            with contextlib.ExitStack() as stack:
                other = stack.enter_context(self._neighbour(job)) if job.neighbour else None
                keeper = self.keeper(0, job.tmpfs_bytes)
                stack.callback(_close, keeper, self._group(0), seen)
                for _ in range(job.times):
                    self._once(keeper, job, seen, other)
        except SetupError as error:
            seen.setup = f"{error.step}:{errno.errorcode.get(error.errno, '?')}"
        return seen

    def _once(self, keeper: Keeper, job: Job, seen: Seen, other: Sandbox | None) -> None:
        seen.text = ""
        sandbox = keeper.arm(job.memory_bytes, job.processes, job.collect)
        try:
            started: list[float] = []

            def meddle() -> None:
                if other is not None and job.share:
                    started[:] = sum(other.cpu_s()), sum(sandbox.cpu_s())
                _meddle(job, seen)

            _watch(_Alone(sandbox, job), _program(job, "python"), job, seen, meddle)
            if other is not None and started:
                theirs_s, ours_s = started
                seen.share = (sum(sandbox.cpu_s()) - ours_s) / (sum(other.cpu_s()) - theirs_s)
            if sandbox.product >= 0:
                regular = stat.S_ISREG(os.fstat(sandbox.product).st_mode)
                content = os.read(sandbox.product, 4096) if regular else b"no regular file"
                seen.collected = content.decode(errors="replace")
        finally:
            try:
                sandbox.destroy()
            finally:
                if not job.neighbour:
                    seen.left = _marked(GONE_S)

    def _compile(self, job: Job, seen: Seen) -> None:
        language = "cpp" if job.file.endswith(".cpp") else "c"
        settings = replace(
            self._settings,
            runtime_dir=f"{self._directory}/native",
            languages=(language,),
            compile_cpu_limit=job.compile_cpu_s,
            compile_wall_limit=2 * job.compile_cpu_s,
        )
        with contextlib.ExitStack() as stack:
            templates = Templates(settings)
            stack.callback(templates.close)
            templates.start()
            slot = replace(self._taken[0], templates=f"{settings.runtime_dir}/host-{os.getpid()}")
            workshop = Workshop(settings, slot)
            stack.callback(workshop.close)
            armed = workshop.arm(language)
            try:
                _watch(armed, _program(job, language), job, seen, lambda: None)
            finally:
                armed.destroy()

    @contextlib.contextmanager
    def _neighbour(self, job: Job) -> Iterator[Sandbox]:
        theirs = replace(job, file=job.neighbour, args=job.neighbour_args, executable="")
        keeper = self.keeper(1, job.tmpfs_bytes)
        try:
            sandbox = keeper.arm(job.memory_bytes, job.processes)
            # Nobody looks whether it asks something.
            sandbox.answer(select.POLLIN)
            try:
                sandbox.launch(_Alone(sandbox, theirs).begin(_program(theirs, "python")).launch)
                if not select.select([sandbox.stdout], [], [], READY_S)[0]:
                    raise TimeoutError("the neighbour says nothing")
                yield sandbox
            finally:
                sandbox.destroy()
        finally:
            keeper.close()


class _Alone:
    """One sandbox for a Python program, or for an executable."""

    compile_cache_hit = False

    def __init__(self, sandbox: Sandbox, job: Job) -> None:
        self.language = "python"
        self._sandbox = sandbox
        self._job = job

    def preparing(self) -> int:
        """Nothing is started ahead."""
        return -1

    def listener(self) -> int:
        """Nor does any of it ask."""
        return -1

    def answer(self, happened: int) -> None:
        """Nothing asks."""

    def begin(self, program: Program) -> Stage:
        """Start it."""
        path = self._job.executable
        launch = Launch(
            files=program.files,
            argv=("./a.out" if path else "main.py", *program.args),
            environment=tuple({**ENVIRONMENT, **dict(program.environment)}.items()),
            limits=program.limits,
            warm=not path,
            path="./a.out" if path else "",
            executable=os.open(path, os.O_RDONLY | os.O_CLOEXEC) if path else -1,
        )
        return Stage(self._sandbox, launch, compiling=False)

    def run_begun(self) -> None:
        """Nothing is kept."""

    def after_compile(self) -> Stage:
        """There is no compile."""
        raise AssertionError

    def destroy(self) -> None:
        """Whoever armed it does that."""


def _program(job: Job, language: str) -> Program:
    files = []
    if not job.executable:
        suffix = Path(job.file).suffix
        helper = "probe.py" if suffix == ".py" else "probe.h"
        for name, source in ((f"main{suffix}", job.file), (helper, helper)):
            files.append(SourceFile(name, 0o644, (ATTACKS_DIR / source).read_bytes()))
    limits = replace(
        DEFAULT_LIMITS,
        cpu_s=job.cpu_s,
        wall_s=job.wall_s,
        memory_bytes=job.memory_bytes,
        processes=job.processes,
        output_bytes=job.output_bytes,
        open_files=job.open_files,
        file_size_bytes=job.file_size_bytes,
    )
    name = files[0].path if files else "main.py"
    return Program(language, tuple(files), name, job.args, (), job.environment, b"", True, limits)


def _watch(
    armed: Armed, program: Program, job: Job, seen: Seen, at_first_word: Callable[[], None]
) -> None:
    """The worker's loop, for one execution."""
    pieces: list[bytes] = []
    lease = Lease("e1", program.language, True, _WINDOW_BYTES, False)
    execution = Execution(lease, program, _CORES, time.monotonic())

    def send(message: Message, payload: bytes, _: float) -> None:
        if isinstance(message, Output):
            if not pieces:
                at_first_word()
            pieces.append(payload)
            execution.credit(len(payload))

    run = Run(armed, execution, send)
    run.begin()
    end = time.monotonic() + job.patience_s
    last: tuple[Finished, bytes] | None = None
    while last is None and time.monotonic() < end:
        now = time.monotonic()
        poll = select.poll()
        for fd, mask in run.interest(now).items():
            poll.register(fd, mask)
        wait_s = min(execution.next_deadline(now), end) - now
        events = dict(poll.poll(max(0.0, wait_s) * 1000 + 1))
        last = run.turn(events, time.monotonic())
    if last is None:
        seen.unended = True
    else:
        finished, payload = last
        seen.verdict = Verdict(finished.verdict).name
        seen.exit_code, seen.message = finished.exit_code, finished.message
        pieces += [piece for _, piece in unpack_records(payload)]
    seen.text = b"".join(pieces).decode(errors="replace")


def _meddle(job: Job, seen: Seen) -> None:
    """What the test does while the program runs."""
    if job.locks:
        fd = os.open(job.locks, os.O_RDONLY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            seen.lock_free = True
        except BlockingIOError:
            seen.lock_free = False
        os.close(fd)
    if job.kill_keeper:
        os.kill(_keeper_pid(), signal.SIGKILL)


def _keeper_pid() -> int:
    """The process from which those come that an attack has named."""
    table = host.descendants(os.getpid(), host.processes())
    ours = os.readlink("/proc/self/ns/pid")
    pid = next(p.pid for p in table.values() if p.comm.startswith(host.MARK))
    while table[pid].pid_namespace != ours:
        pid = table[pid].parent
    return pid


def _marked(patience_s: float) -> list[str]:
    """Living processes that an attack named; the dying have some time to be gone."""
    end = time.monotonic() + patience_s
    while True:
        table = host.descendants(os.getpid(), host.processes())
        # A zombie has no namespace any more.
        found = [
            process.comm
            for process in table.values()
            if process.comm.startswith(host.MARK) and process.pid_namespace
        ]
        if not found or time.monotonic() > end:
            return found


def _close(keeper: Keeper, group: str, seen: Seen) -> None:
    """End it; what is alive after that is noted, and killed by the test."""
    with contextlib.suppress(OSError):
        keeper.close()
    if seen.left:
        seen.left_at_end = _marked(GONE_S)
    procs = Path(group, "cgroup.procs")
    while procs.exists() and (pids := procs.read_text().split()):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


def _seclude() -> None:
    """Namespaces of this process's own, with a loopback interface, and a key in its keyring.

    By none of the worker's functions, which may not do here what they should.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NET | _NEW_IPC | _NEW_UTS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    socket.sethostname(CANARY)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
    libc.syscall(_SYS_KEYCTL, _JOIN_SESSION_KEYRING, None)
    libc.syscall(
        _SYS_ADD_KEY, b"user", CANARY.encode(), CANARY.encode(), len(CANARY), _SESSION_KEYRING
    )


def _listen(stack: contextlib.ExitStack) -> None:
    for target in LISTENERS:
        kind, _, address = target.partition("=")
        if kind == "tcp":
            listener = socket.create_server(("127.0.0.1", int(address.rpartition(":")[2])))
        else:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(f"\0{address}")
            listener.listen()
        stack.enter_context(listener)


def _take_terminal(stack: contextlib.ExitStack) -> None:
    """Have a terminal, as a worker has that was started by hand."""
    os.setsid()
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    stack.callback(os.close, slave)
    # What is written there is read, so that nobody waits.
    threading.Thread(target=_drain, args=(master,), daemon=True).start()


def _drain(fd: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(fd, 4096):
            pass


def main() -> None:
    """Do what argv[1] says."""
    plan = _read_plan(sys.argv[1])
    # So that whatever outlives its parents is still known to be ours.
    kernel.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    with contextlib.ExitStack() as stack:
        _take_terminal(stack)
        _seclude()
        _listen(stack)
        lacking.refuse(plan.blocked, errno.EPERM)
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="dcodex-bench-"))
        bench = Bench(plan, directory)
        stack.callback(bench.close)
        for job in plan.jobs:
            print(json.dumps(asdict(bench.run(job))), flush=True)


def _read_plan(text: str) -> Plan:
    """JSON has lists where a Job has tuples."""
    raw: dict[str, Any] = json.loads(text)
    jobs = []
    for fields in raw["jobs"]:
        members: dict[str, Any] = {
            name: tuple(map(_tuple, value)) if isinstance(value, list) else value
            for name, value in fields.items()
        }
        jobs.append(Job(**members))
    return Plan(raw["scratch"], tuple(jobs), tuple(raw.get("blocked", ())))


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


if __name__ == "__main__":
    main()
