"""One armed sandbox as the worker sees it, and the keeper that arms them.

The outside of keeper.py: pipes, the channel, cgroup figures, and killing by pidfd. How a
program ended is known here by the keeper's wait status and the cgroup's counters alone.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import socket
import struct
import time
from dataclasses import dataclass

from dcodex_shared.limits import MAX_OUTPUT_BYTES, Limits
from dcodex_shared.program import SourceFile
from dcodex_worker.sandbox import handover, plan, products, rlimits, sockets, wireform
from dcodex_worker.sandbox.cgroup import Leaf, Tree
from dcodex_worker.sandbox.wireform import FAILED_STATUS

#: Arming takes milliseconds; a machine that needs this long, in seconds, is out of order.
ARM_TIMEOUT_S = 10.0
#: Arming gives way to programs that run for so long, in seconds: it takes a few milliseconds of
#: CPU time, and a worker is silent meanwhile, which nobody takes it for dead for.
YIELD_S = 0.05
#: How long a killed sandbox may take to be gone, in seconds, before the worker gives it up.
DESTROY_TIMEOUT_S = 10.0
#: What a program may write to stdout before it has to wait: two of the largest pieces, so that it
#: goes on while one is on its way. The memory counts as the program's; stderr has the usual 64 KiB,
#: for the kernel bounds what all pipes of a user without privilege may hold.
PIPE_BYTES = 2 * MAX_OUTPUT_BYTES
#: What a keeper is told.
_ADDRESS = struct.Struct("=Q")


class SetupError(Exception):
    """The sandbox failed, never the program: which step, and the kernel's errno."""

    def __init__(self, step: str, number: int = 0, reason: str = "") -> None:
        if not reason:
            name = errno.errorcode.get(number, str(number))
            reason = f"{name}, {os.strerror(number)}" if number else "failed"
        super().__init__(f"{step}: {reason}")
        self.step = step
        self.errno = number


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start in an armed sandbox."""

    files: tuple[SourceFile, ...]
    #: The whole command line. With `warm`, what follows the interpreter: argv[0] is a file.
    argv: tuple[str, ...]
    #: The whole environment.
    environment: tuple[tuple[str, str], ...]
    limits: Limits
    #: Go on as the warm interpreter; otherwise execute `path`.
    warm: bool = False
    path: str = ""
    #: A descriptor whose content is first written to `path`, or -1.
    executable: int = -1
    #: What prepare() has started may do it in place of `argv`.
    benched: bool = False
    #: ... and the program begins as prepare()'s bench foresees it.
    foreseen: bool = False

    def is_usual(self, environment: tuple[tuple[str, str], ...] | None) -> bool:
        """Whether it is a warm main.py alone, without arguments, in this environment."""
        return (
            self.warm
            and self.environment == environment
            and self.argv == (handover.MAIN,)
            and [file.path for file in self.files] == [handover.MAIN]
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the processes of one worker's sandboxes are outside."""

    #: The program's user and group.
    host_id: int
    #: init's, so that the program can neither signal nor trace it.
    init_id: int


class Keeper:
    """A keeper process and its leaf; arms one sandbox at a time."""

    def __init__(
        self, template: str, tree: Tree, leaf_name: str, identity: Identity, tmpfs_bytes: int
    ) -> None:
        """template: path of the template's socket. Raises SetupError."""
        try:
            self.leaf = Leaf(tree, leaf_name)
        except OSError as error:
            raise SetupError("cgroup", error.errno or 0) from error
        self._identity = identity
        self._template = template
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        _limit_waits(self.sock)
        #: To the process that answers what programs ask; None before one has asked something.
        self._answers: socket.socket | None = None
        #: The keeper dies when this is closed.
        reader, self._alive = os.pipe()
        #: Its directory in /proc; -1 before it has joined.
        self.process = -1
        #: Whether the last sandbox's network is as new.
        self.network_unused = False
        procs: list[int] = []
        try:
            self.sock.connect(template)
            procs = self.leaf.open_procs()
            message = wireform.pack(wireform.JOIN, identity.host_id, identity.init_id, tmpfs_bytes)
            wireform.send(self.sock, message, (reader, *procs))
            self.doors = self._joined()
        except (OSError, SetupError) as error:
            self.close()
            if isinstance(error, SetupError):
                raise
            raise SetupError("keeper", error.errno or 0) from error
        finally:
            _close(reader, *procs)

    def _joined(self) -> handover.Doors:
        message, descriptors = wireform.receive(self.sock)
        kind, *rest = wireform.unpack(message) if message else (wireform.FAILED, "keeper", 0)
        if kind == wireform.FAILED:
            raise SetupError(*rest)
        (self.process,) = descriptors
        return handover.Doors(*rest)

    def arm(
        self, memory_bytes: int, processes: int, collect: str = "", awaited: bool = False
    ) -> Sandbox:
        """A fresh sandbox, ready to be launched; raises SetupError.

        collect: a path in its work directory to open when the program has ended with status 0.
        awaited: a request waits for it, so it does not give way to those that run.
        """
        self.leaf.limit(memory_bytes, processes)
        if awaited:
            self.leaf.press_on()
        else:
            self.leaf.give_way()
        stdin_read, stdin_write = os.pipe()
        stdout_read, stdout_write = os.pipe()
        stderr_read, stderr_write = os.pipe()
        with contextlib.suppress(OSError):  # more than this machine allows a user
            fcntl.fcntl(stdout_write, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        channel, theirs = socket.socketpair()
        _limit_waits(channel)
        inside = (stdin_read, stdout_write, stderr_write, theirs.fileno())
        pipes = stdin_write, stdout_read, stderr_read
        word = self.doors.later if self.network_unused else self.doors.first
        self.network_unused = False
        try:
            host_id = self._identity.host_id
            for fd in inside[:3]:
                # So that the program can open /dev/stdin and its like.
                os.fchown(fd, host_id, host_id)
            wireform.send(self.sock, _ADDRESS.pack(word), inside)
        except OSError as error:
            _close(*pipes)
            channel.close()
            raise SetupError("keeper", error.errno or 0) from error
        finally:
            _close(*inside[:3])
            theirs.close()
        sandbox, said, listeners = None, b"", list[int]()
        try:
            self._await(channel)
            # Reset by a keeper that has ended: it has said why.
            with contextlib.suppress(ConnectionError):
                said, listeners = wireform.receive(channel)
            sandbox = Sandbox(self, channel, self._arming(), pipes, listeners, collect)
            kind, *rest = wireform.unpack(said) if said else (wireform.FAILED, "arming", 0)
            if kind != wireform.ARMED:
                raise SetupError(*rest)
        except (OSError, SetupError) as error:
            if sandbox is not None:
                sandbox.destroy()
            else:
                _close(*pipes, *listeners)
                channel.close()
            if isinstance(error, SetupError):
                raise
            raise SetupError("arming", error.errno or 0) from error
        self.leaf.start_counting()
        return sandbox

    def _arming(self) -> list[int]:
        """The pidfds of init and program; raises SetupError where the keeper has none."""
        message, pidfds = wireform.receive(self.sock)
        kind, *rest = wireform.unpack(message) if message else (wireform.FAILED, "keeper", 0)
        if kind != wireform.ARMING:
            raise SetupError(*rest)
        return pidfds

    def have_answered(self, listener: int) -> None:
        """Have a process in this leaf answer what comes there; raises OSError."""
        if self._answers is None:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            procs: list[int] = []
            try:
                _limit_waits(sock)
                sock.connect(self._template)
                procs = self.leaf.open_procs()
                self.leaf.admit()
                wireform.send(sock, wireform.pack(wireform.ANSWER), (self.process, *procs))
            except OSError:
                sock.close()
                raise
            finally:
                _close(*procs)
            self._answers = sock
        wireform.send(self._answers, b"?", (listener,))

    def _await(self, sock: socket.socket) -> None:
        """Wait for something to be said there, and give way no longer when that takes long."""
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        if not poll.poll(YIELD_S * 1000):
            self.leaf.press_on()

    def close(self) -> None:
        """End the keeper and all that it has started, and remove its leaf."""
        os.close(self._alive)
        self.sock.close()
        if self._answers is not None:
            self._answers.close()
        if self.process >= 0:
            os.close(self.process)
        self.leaf.remove()


class Sandbox:
    """One armed sandbox; used once."""

    def __init__(
        self,
        keeper: Keeper,
        channel: socket.socket,
        pidfds: list[int],
        pipes: tuple[int, int, int],
        listeners: list[int],
        collect: str,
    ) -> None:
        """listeners: the one of the program's filter, if it has one."""
        self._keeper = keeper
        self._channel = channel
        self._collect = collect
        #: Whether a warm program's file may have any name.
        self.any_name = keeper.doors.any_name
        #: Tells poll(2) when the program asks something: answer() then. -1 where it cannot, or may.
        self.listener = listeners[0] if listeners else -1
        #: Whether it is certain that nothing was asked yet.
        self._unasked = self.listener >= 0
        #: The program's process reads messages by now, without a head.
        self._headed = False
        #: init's pidfd: readable when every process inside is gone.
        self.pidfd, self._program = pidfds
        #: Our ends, non-blocking; -1 once closed.
        self.stdin, self.stdout, self.stderr = pipes
        for fd in pipes:
            os.set_blocking(fd, False)
        #: Readable when the first process has ended, or the keeper has died.
        self.status = keeper.sock.fileno()
        #: A read-only descriptor of the collected file after exit_status(), or -1; the taker's.
        self.product = -1
        self._ended = False
        #: What prepare() has started lets others run first.
        self._gives_way = False
        #: Ends when all of that waits; -1 once that is known, or nothing was started.
        self.preparing = -1
        self._largest_process_bytes = 0
        self._destroyed = False

    def prepare(
        self,
        bench: dict[str, object],
        environment: tuple[tuple[str, str], ...],
        limits: Limits,
    ) -> None:
        """Have tools started ahead that the program may need (bench.py); at most once.

        Raises SetupError.
        """
        body = wireform.pack(
            {
                "bench": bench,
                "environment": environment,
                "cpu_s": limits.cpu_s,
                "file_size_bytes": limits.file_size_bytes,
                "open_files": limits.open_files,
            }
        )
        # They may never be needed, and if they are while they start they get their share.
        self._keeper.leaf.stand_back()
        self._gives_way = True
        self.preparing, notice = os.pipe()
        data = handover.spelled(self._keeper.doors, body)
        self._headed = True
        try:
            sent = self._channel.sendmsg([data], wireform.rights((notice,)))
            if sent < len(data):
                self._channel.sendall(memoryview(data)[sent:])
        except OSError as error:
            raise SetupError("bench", error.errno or 0) from error
        finally:
            os.close(notice)

    def launch(self, launch: Launch) -> float:
        """Hand the program over; it starts at once. Raises SetupError when it is lost.

        Returns when that was, in seconds of time.monotonic(): the program may have ended by the
        time that we are back.
        """
        limits = launch.limits
        try:
            self._keeper.leaf.limit(limits.memory_bytes, limits.processes)
            if self._gives_way:
                self._gives_way = False
                self._keeper.leaf.take_turn()
        except OSError as error:
            raise SetupError("limits", error.errno or 0) from error
        data = self._message(launch)
        descriptors = (launch.executable,) if launch.executable >= 0 else ()
        ancillary = wireform.rights(descriptors)
        began = time.monotonic()
        try:
            # Its process does nothing but read this: it cannot keep us waiting for long.
            sent = self._channel.sendmsg([data], ancillary)
            if sent < len(data):
                self._channel.sendall(memoryview(data)[sent:])
        except OSError as error:
            # A program that does not fit into its own memory limit is killed for it, and its
            # end will say so.
            if not self.oom_killed():
                raise SetupError("launch", error.errno or 0) from error
        return began

    def _message(self, launch: Launch) -> bytes:
        doors, limits = self._keeper.doors, launch.limits
        if not self._headed and launch.is_usual(doors.environment):
            files = [(file.path, file.mode, file.content) for file in launch.files]
            tightened = rlimits.of_request(limits.cpu_s, limits.file_size_bytes, limits.open_files)
            data = handover.direct(doors, files, tightened, plan.GIVEN, plan.CHANNEL)
            if data is not None:
                return data
        body = wireform.pack(
            {
                "files": [(file.path, file.mode, file.content) for file in launch.files],
                "argv": launch.argv,
                "environment": launch.environment,
                "warm": launch.warm,
                "benched": launch.benched,
                "foreseen": launch.foreseen,
                "path": launch.path,
                "cpu_s": limits.cpu_s,
                "file_size_bytes": limits.file_size_bytes,
                "open_files": limits.open_files,
            }
        )
        return handover.sized(body) if self._headed else handover.spelled(doors, body)

    def answer(self, happened: int) -> None:
        """Have what the program asks answered from here on, with its own sandbox's time.

        happened: what poll(2) says of the listener.
        """
        # Otherwise nobody is left who could ask.
        if happened & select.POLLIN:
            self._unasked = False
            with contextlib.suppress(OSError):
                # Where nobody answers the kernel refuses the call as soon as this is closed.
                self._keeper.have_answered(self.listener)
        self._end_listening()

    def _end_listening(self) -> None:
        if self.listener >= 0:
            os.close(self.listener)
            self.listener = -1

    def end_preparing(self) -> None:
        """Look no more whether what prepare() has started waits."""
        if self.preparing >= 0:
            os.close(self.preparing)
            self.preparing = -1

    def close_stdin(self) -> None:
        """EOF for the program."""
        if self.stdin >= 0:
            os.close(self.stdin)
            self.stdin = -1

    def exit_status(self) -> int | None:
        """The raw wait status, once `status` is readable; None when the sandbox was lost.

        Raises SetupError where the program's process failed before the program began.
        """
        status = self._receive_end()
        if status is None:
            return None
        if status == 0 and self._collect:
            self._take_product()
        if not os.WIFEXITED(status) or os.WEXITSTATUS(status) != FAILED_STATUS:
            return status
        with contextlib.suppress(OSError):
            # Empty when it came so far as to close the channel.
            failure = self._channel.recv(wireform.MAX_MESSAGE_BYTES, socket.MSG_DONTWAIT)
            if failure:
                _, step, number = wireform.unpack(failure)
                raise SetupError(step, number)
        return status

    def cpu_s(self) -> tuple[float, float]:
        """User and system time of the whole tree since it was armed, in seconds."""
        return self._keeper.leaf.cpu_s()

    def peak_memory_bytes(self) -> int:
        """The highest memory of the whole tree, with its files on tmpfs."""
        return self._keeper.leaf.peak_memory_bytes(self._largest_process_bytes)

    def oom_killed(self) -> bool:
        """Whether the kernel killed in here for want of memory."""
        return self._keeper.leaf.oom_kills() > 0

    def processes_refused(self) -> bool:
        """Whether the limit on processes refused one."""
        return self._keeper.leaf.refused_forks() > 0

    def signal(self, number: int) -> None:
        """Send a signal to the program's first process; nothing when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._program, number)

    def kill(self) -> None:
        """Kill everything in it; does not wait."""
        self._keeper.leaf.hasten()
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def destroy(self) -> None:
        """Have all killed, and wait until they are gone; raises SetupError when they do not go."""
        if self._destroyed:
            return
        self._destroyed = True
        if self._gives_way:
            with contextlib.suppress(OSError):  # it only takes longer
                self._keeper.leaf.take_turn()
        self._kill()
        try:
            if not self._ended:
                self._receive_end()
            self._await_gone()
            # Every socket is asked for but Unix ones, which end with the last that has them.
            keeper = self._keeper
            keeper.network_unused = self._unasked and sockets.count(keeper.process) == 0
        finally:
            self.close_stdin()
            self.end_preparing()
            self._end_listening()
            for fd in (self.stdout, self.stderr, self.pidfd, self._program):
                if fd >= 0:
                    os.close(fd)
            self.stdout = self.stderr = -1
            if self.product >= 0:
                os.close(self.product)
                self.product = -1
            self._channel.close()

    def _receive_end(self) -> int | None:
        try:
            report = self._keeper.sock.recv(wireform.MAX_MESSAGE_BYTES)
        except OSError:
            return None
        self._ended = True
        if len(report) != wireform.REPORT.size:
            return None
        status, self._largest_process_bytes = wireform.status(report)
        return status

    def _take_product(self) -> None:
        try:
            product = products.open_product(self._keeper.process, self._collect)
            if product >= 0 and not products.is_large(product):
                product = products.copied(product)
            elif product >= 0:
                self._kill()
                self._await_gone()
        except OSError as error:
            raise SetupError("product", error.errno or 0) from error
        self.product = product

    def _await_gone(self) -> None:
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        if not poll.poll(DESTROY_TIMEOUT_S * 1000):
            raise SetupError("destroy", 0)


def _close(*fds: int) -> None:
    for fd in fds:
        os.close(fd)


def _limit_waits(sock: socket.socket) -> None:
    """Let the kernel end a wait that lasts too long (an OSError); settimeout() would poll first."""
    limit = struct.pack("@ll", int(ARM_TIMEOUT_S), 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
