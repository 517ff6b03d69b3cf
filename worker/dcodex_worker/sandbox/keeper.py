"""The keeper: a fork of a template that arms the sandboxes of one worker, one after another.

Theory of operation
-------------------
The keeper is root outside, runs no code but this file's, and is in the worker's cgroup from
its first moment, so that all it starts is too. For every sandbox it

  1. leaves the namespaces of the last one for fresh ones (mount, network, IPC; pid for its
     children; a network in which no socket was made is fresh) and mounts the private places,
  2. starts init (init.py), which is pid 1 there,
  3. forks the program's process, which gives up everything, step by step (plan.py), makes a
     holder of its memory (holder.py), says ARMED, and blocks until it is handed the program,
  4. waits for that process, tells the worker the wait status, and kills init, and with it
     whatever is left; a file that the worker wants collected is copied before, or else taken
     when all are gone.

How a program ended is thus seen from outside by wait status; nothing inside reports it.

The program's process is a fork of the interpreter. For a warm Python run arm_for_ever()
returns in it, and the interpreter goes on as if it had just been started with the file.
For everything else it executes the program; while it waits for that, it may start the tools
that the program will need (bench.py).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import os
import select
import signal
import socket
import stat
import sys
from dataclasses import dataclass
from typing import Any, NoReturn

from dcodex_worker.sandbox import (
    bench,
    kernel,
    landlock,
    mounts,
    plan,
    questions,
    rlimits,
    rootfs,
    seccomp,
    sockets,
    wireform,
)
from dcodex_worker.sandbox.errand import ChildFailed, Errand, Failed
from dcodex_worker.template import rehearsal

#: The rehearsal takes milliseconds; a machine where it takes this long, in seconds, goes without.
_REHEARSAL_TIMEOUT_S = 5.0
_REHEARSAL_CPU_S = 5.0
#: The largest file that is collected from a sandbox: a linked program.
MAX_COLLECTED_BYTES = 256 << 20
#: A larger one is not copied, which takes its size of the sandbox's memory once more.
MAX_COPIED_BYTES = 4 << 20
#: Seals of a copy.
_FINAL = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


#: Of the descriptors of a sandbox, those that go to the program's process; one is the keeper's.
_KEPT = 5
#: init and holder, as /proc names them in there.
_SLEEPERS = frozenset({"1", "3"})


@dataclass(frozen=True, slots=True)
class _Plan:
    """What plan.py has written down for all sandboxes that are alike."""

    key: object
    #: With a new network namespace, and with the last one.
    first: Errand
    later: Errand
    confinement: plan.Confinement


class Keeper:
    """One keeper's life. Everything it needs was opened by the template before it was forked."""

    def __init__(
        self,
        worker: socket.socket,
        tasks: int,
        pid_namespace: int,
        extra: tuple[str, ...],
        seccomp_filter: seccomp.Filter,
        maskable: tuple[str, ...],
        rehearsed: bytes,
        lenient: frozenset[str],
    ) -> None:
        """tasks: the template's /proc/PID/task, of the host's /proc. rehearsed: the program of the
        rehearsal, empty where no warm ones will be run. seccomp_filter: seccomp.choose().
        lenient: the guarantees that may lack.
        """
        self._lenient = lenient
        self._worker = worker
        self._tasks = tasks
        #: This process in the host's /proc, opened by _join(): it lives in the sandbox's network,
        #: and is there when init is not.
        self._process = -1
        self._pid_namespace = pid_namespace
        self._extra = extra
        #: Opened by _join().
        self._mount_namespace = -1
        self._seccomp_filter = seccomp_filter
        #: This side's end of the pair that the listener comes through.
        self._gate: socket.socket
        self._maskable = maskable
        self._landlock = landlock.version()
        self._rehearsed = rehearsed
        #: Pages to provide at arming; None before the rehearsal.
        self._pages: tuple[rehearsal.Stretch, ...] | None = None if rehearsed else ()
        self._init_id = 0
        self._planned: _Plan | None = None
        #: Whether the last sandbox's network namespace is as new.
        self._network_unused = False
        #: Where a list leaves init's pid.
        self._init_told = ctypes.c_int32(0)
        # A program is to spend nothing on taking this apart, and its holder sleeps in a list.
        kernel.keep_for_ever(self)

    def arm_for_ever(self) -> dict[str, Any]:
        """Serve the worker until it goes; returns only in the process of a warm program.

        No exception may leave it: this process is an interpreter that would go on to run the
        main.py in front of it, which is a program's, with the keeper's rights.
        """
        try:
            return self._serve()
        except ConnectionError:
            # The worker went in the middle of a message; init dies with this process.
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)

    def _serve(self) -> dict[str, Any]:
        try:
            self._join()
        except OSError as error:
            message = wireform.pack(wireform.FAILED, "join", error.errno or 0)
            wireform.send(self._worker, message)
            os._exit(1)
        while True:
            data, fds = wireform.receive(self._worker)
            if not data:
                os._exit(0)
            _, host_id, tmpfs_bytes, collect = wireform.unpack(data)
            try:
                if self._pages is None:
                    launch = self._rehearse(host_id, tmpfs_bytes)
                    if launch is not None:
                        return launch
                init, program, size = self._fork(host_id, tmpfs_bytes, fds)
                pidfds = _open_both(init, program) if program else ()
            except Failed as failure:
                _close(fds)
                message = wireform.pack(wireform.FAILED, failure.step, failure.number)
                wireform.send(self._worker, message)
                continue
            if program == 0:
                return self._become_program(size)
            _close(fds[:_KEPT])
            self._gate = socket.socket(fileno=fds[_KEPT])
            wireform.send(self._worker, wireform.pack(wireform.ARMING), pidfds)
            _close(pidfds)
            self._await_end(init, program, collect)

    def _rehearse(self, host_id: int, tmpfs_bytes: int) -> dict[str, Any] | None:
        """Run our own program in a sandbox of its own, as any; see rehearsal.py.

        Returns None in the keeper, and in the program's process what it launches.
        """
        self._pages = ()
        nothing = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        ours, theirs = socket.socketpair()
        gate, gate_inside = socket.socketpair()
        inside = [nothing, nothing, nothing, theirs.fileno(), gate_inside.fileno()]
        init, program, size = self._fork(host_id, tmpfs_bytes, inside)
        if program == 0:
            for sock in (ours, theirs, gate, gate_inside):
                # Their numbers are others' by now.
                sock.detach()
            return self._become_program(size)
        os.close(nothing)
        theirs.close()
        gate_inside.close()
        launch = {
            "files": [("main.py", 0o644, self._rehearsed)],
            "argv": ("main.py",),
            "environment": tuple(os.environ.items()),
            "warm": True,
            "rehearse": True,
            "cpu_s": _REHEARSAL_CPU_S,
            "file_size_bytes": 1 << 20,
            "open_files": 64,
        }
        body = wireform.pack(launch)
        with ours, gate:
            ours.settimeout(_REHEARSAL_TIMEOUT_S)
            said = b""
            try:
                if wireform.unpack(ours.recv(wireform.MAX_MESSAGE_BYTES))[0] == wireform.ARMED:
                    ours.sendall(len(body).to_bytes(8, "little") + body)
                    while part := ours.recv(1 << 16):
                        said += part
            except (OSError, EOFError, ValueError):
                said = b""
        _end_all(init)
        self._pages = rehearsal.unpack(said)
        return None

    def _join(self) -> None:
        data, fds = wireform.receive(self._worker)
        if not data:
            os._exit(0)
        _, self._init_id = wireform.unpack(data)
        for fd in fds:
            os.write(fd, b"0")
        _close(fds)
        # The only way to the host's /proc that is left.
        itself = f"../../{os.getpid()}"
        self._process = os.open(itself, os.O_PATH | os.O_CLOEXEC, dir_fd=self._tasks)
        os.close(self._tasks)
        # So that a program reads "/" as its group's path and not the host's names.
        kernel.unshare(kernel.CLONE_NEWCGROUP)
        self._mount_namespace = rootfs.enter_front(self._extra, "overlayfs" in self._lenient)

    def _plan(self, host_id: int, tmpfs_bytes: int) -> _Plan:
        key = host_id, tmpfs_bytes, self._pages
        if self._planned is None or self._planned.key != key:
            confinement = plan.Confinement(
                host_id,
                self._maskable,
                self._landlock,
                self._seccomp_filter,
                self._pages or (),
                self._lenient,
            )
            first, later = (
                plan.enclose(
                    self._mount_namespace,
                    self._pid_namespace,
                    tmpfs_bytes,
                    host_id,
                    self._init_id,
                    ctypes.addressof(self._init_told),
                    confinement,
                    new_network=new_network,
                )
                for new_network in (True, False)
            )
            self._planned = _Plan(key, first, later, confinement)
            # No program's collector is to find any of it.
            gc.freeze()
        return self._planned

    def _fork(self, host_id: int, tmpfs_bytes: int, inside: list[int]) -> tuple[int, int, int]:
        """Fresh namespaces with init and program in them: the pids of both, and 0.

        In the program's process 0, 0, and the size of what it was handed. inside: the program's
        standard three, its channel and its gate. Raises Failed.
        """
        planned = self._plan(host_id, tmpfs_bytes)
        planned.confinement.take(inside[:_KEPT])
        enclose = planned.later if self._network_unused else planned.first
        self._network_unused = False
        self._init_told.value = 0
        try:
            program, size = enclose.run_forking()
        except ChildFailed as failure:
            early = failure.step == "descriptors"
            _fail(inside[3] if early else plan.CHANNEL, failure.step, failure.number)
        except Failed:
            if self._init_told.value:
                _end_all(self._init_told.value)
            raise
        return self._init_told.value, program, size

    def _await_end(self, init: int, program: int, collect: str) -> None:
        """Wait for the program's end, or for the worker's; then leave nothing alive.

        Meanwhile answer what the program's filter asks (questions.py).
        """
        poll = select.poll()
        watched = os.pidfd_open(program)
        poll.register(watched, select.POLLIN)
        poll.register(self._worker, select.POLLIN)
        poll.register(self._gate, select.POLLIN)
        listener, asked = -1, False
        status = None
        while status is None:
            ready = dict(poll.poll())
            if self._gate.fileno() in ready:
                # First: whether there was a listener is asked even when the program has ended.
                poll.unregister(self._gate)
                listener = _take_listener(self._gate)
                self._gate.close()
                if listener >= 0:
                    poll.register(listener, select.POLLIN)
            elif watched in ready:
                status, largest_bytes = kernel.wait(program)
            elif listener in ready:
                if ready[listener] & select.POLLIN:
                    asked = True
                    questions.answer(listener, self._process)
                else:
                    # Nobody is left to ask; the program's end is on its way.
                    poll.unregister(listener)
            elif _is_closed(self._worker):
                _end_all(init)
                os._exit(0)
        os.close(watched)
        self._gate.close()
        if listener >= 0:
            os.close(listener)
        message = wireform.pack(wireform.EXITED, status, largest_bytes)
        product = _collect(collect) if collect and status == 0 else -1
        large = product >= 0 and os.fstat(product).st_size > MAX_COPIED_BYTES
        if large:
            # Nothing changes it under our feet once all are gone.
            _end_all(init)
        elif product >= 0:
            # Taking the compiler's memory down takes longer than this.
            product = _copied(product)
        wireform.send(self._worker, message, (product,) if product >= 0 else ())
        if product >= 0:
            os.close(product)
        if not large:
            # Every socket is asked for but Unix ones, which end with the last that has them.
            self._network_unused = listener >= 0 and not asked and self._is_quiet()
            _end_all(init)

    def _is_quiet(self) -> bool:
        """Whether nobody is left in the sandbox but who only sleeps, and no socket is."""
        left = {name for name in os.listdir("/proc") if name.isdigit()}
        return left <= _SLEEPERS and sockets.count(self._process) == 0

    def _become_program(self, size: int) -> dict[str, Any]:
        """In the child, which has nothing left to give up: become what the worker has sent."""
        assert self._planned is not None
        return _receive_program(*self._planned.confinement.received(size))


def _receive_program(data: bytes, fds: list[int]) -> dict[str, Any]:
    """Take the rest of the program that begins with this, lay it out; returns for a warm one."""
    launch, data = _receive_launch(data)
    tools = None
    if "bench" in launch:
        # Only what may be needed: the worker's next message is the program.
        with contextlib.suppress(OSError):
            rlimits.tighten(launch["cpu_s"], launch["file_size_bytes"], launch["open_files"])
            tools = bench.Bench(launch["bench"], dict(launch["environment"]))
            tools.settle(plan.CHANNEL)
        _close(fds)
        fds = []
        launch, _ = _receive_launch(data or os.read(plan.CHANNEL, wireform.MAX_FIRST_BYTES))
    step = "files"
    try:
        _write_files(launch["files"])
        if fds:
            step = "executable"
            _copy_executable(fds[0], launch["path"])
        step = "limits"
        rlimits.tighten(launch["cpu_s"], launch["file_size_bytes"], launch["open_files"])
        if launch["warm"]:
            if launch.get("rehearse"):
                launch["rehearse"] = plan.CHANNEL, rehearsal.mapped()
            else:
                os.close(plan.CHANNEL)
            return launch
        if tools is not None:
            step = "bench"
            if launch["benched"]:
                tools.finish(launch["foreseen"])
            else:
                tools.clear()
        step = "exec"
        # The interpreter ignores these two; what it starts should not.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        os.execve(launch["path"], launch["argv"], dict(launch["environment"]))
    except OSError as error:
        _fail(plan.CHANNEL, step, error.errno or 0)


def _receive_launch(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The message that begins with `data`, and what has come of the next one."""
    if not data:
        os._exit(0)
    size = 8 + int.from_bytes(data[:8], "little")
    if len(data) < size:
        parts = [data]
        missing = size - len(data)
        while missing:
            part = os.read(plan.CHANNEL, min(missing, 1 << 20))
            if not part:
                os._exit(0)
            parts.append(part)
            missing -= len(part)
        data = b"".join(parts)
    (launch,) = wireform.unpack(data[8:size])
    return launch, data[size:]


def _write_files(files: list[tuple[str, int, bytes]]) -> None:
    made = set()
    for path, mode, content in files:
        folder = path.rpartition("/")[0]
        if folder and folder not in made:
            os.makedirs(folder, exist_ok=True)
            made.add(folder)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        written = os.write(fd, content)
        while written < len(content):
            written += os.write(fd, memoryview(content)[written:])
        if mode & 0o777 != mode & ~0o022 & 0o777:
            os.fchmod(fd, mode)  # the umask took bits that were asked for
        os.close(fd)


def _copy_executable(source: int, path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # a data file of that name, with rights of its own
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o755)
    offset = 0
    while True:
        count = os.sendfile(target, source, offset, 1 << 30)
        if count == 0:
            break
        offset += count
    os.close(source)
    # Still open for writing it could not be executed.
    os.close(target)


def _collect(path: str) -> int:
    """A read-only descriptor of a regular file that the program left, or -1.

    No link is followed, no FIFO or device is opened for reading, though what the program has
    started may still live and change what is there.
    """
    try:
        directory = os.open(mounts.WORK_DIRECTORY, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return -1
    try:
        probe = kernel.open_beneath(directory, path, os.O_PATH)
        try:
            regular = stat.S_ISREG(os.fstat(probe).st_mode)
        finally:
            os.close(probe)
        if not regular:
            return -1
        product = kernel.open_beneath(directory, path, os.O_RDONLY | os.O_NONBLOCK)
        found = os.fstat(product)
        if stat.S_ISREG(found.st_mode) and 0 < found.st_size <= MAX_COLLECTED_BYTES:
            return product
        os.close(product)
        return -1
    except OSError:
        return -1
    finally:
        os.close(directory)


def _copied(product: int) -> int:
    """A copy of what is collected, which nobody changes, or -1; closes the descriptor."""
    copy, size = -1, 0
    try:
        copy = os.memfd_create("product", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        while count := os.sendfile(copy, product, size, MAX_COPIED_BYTES - size):
            size += count
        os.lseek(copy, 0, os.SEEK_SET)
        fcntl.fcntl(copy, fcntl.F_ADD_SEALS, _FINAL)
    except OSError:
        size = 0
    finally:
        os.close(product)
    if not size and copy >= 0:
        os.close(copy)
        copy = -1
    return copy


def _open_both(init: int, program: int) -> tuple[int, int]:
    """Descriptors of both; raises Failed, and leaves nothing alive then."""
    try:
        return os.pidfd_open(init), os.pidfd_open(program)
    except OSError as error:
        _end_all(init)
        raise Failed("pidfds", error.errno or 0) from error


def _end_all(init: int) -> None:
    """Kill what is left of a sandbox; returns when it is gone.

    init is not reapable before its namespace is empty, which it is not before the program and
    its holder are reaped.
    """
    with contextlib.suppress(ChildProcessError):
        # One that died before it could be waited for is gone, and its number may be another's.
        os.waitid(os.P_PID, init, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        os.kill(init, signal.SIGKILL)
        while True:
            os.waitpid(-1, 0)


def _take_listener(gate: socket.socket) -> int:
    """What the filter of seccomp.py gave; -1 where it had nothing to give."""
    _, given = wireform.receive(gate)
    return given[0] if given else -1


def _fail(channel: int, step: str, number: int) -> NoReturn:
    try:
        os.write(channel, wireform.pack(wireform.FAILED, step, number))
    finally:
        os._exit(wireform.FAILED_STATUS)


def _is_closed(sock: socket.socket) -> bool:
    try:
        return not sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _close(fds: list[int] | tuple[int, ...]) -> None:
    for fd in fds:
        os.close(fd)
