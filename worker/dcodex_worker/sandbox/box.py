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
from dataclasses import dataclass

from dcodex_shared.limits import MAX_OUTPUT_BYTES, Limits
from dcodex_shared.program import SourceFile
from dcodex_worker.sandbox import wireform
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
#: Only the keeper is left in an empty leaf.
_KEEPER_ALONE = 1


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
    #: The whole command line. With `warm`, of which argv[0] is the file that the template opens.
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
        self._tmpfs_bytes = tmpfs_bytes
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        _limit_waits(self.sock)
        try:
            self.sock.connect(template)
            procs = self.leaf.open_procs()
            message = wireform.pack(wireform.JOIN, identity.init_id)
            wireform.send(self.sock, message, tuple(procs))
            for fd in procs:
                os.close(fd)
        except OSError as error:
            self.close()
            raise SetupError("keeper", error.errno or 0) from error

    def arm(
        self, memory_bytes: int, processes: int, collect: str = "", awaited: bool = False
    ) -> Sandbox:
        """A fresh sandbox, ready to be launched; raises SetupError.

        collect: a path in its work directory to open when the program has ended with status 0.
        awaited: a request waits for it, so it does not give way to those that run.
        """
        host_id = self._identity.host_id
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
        # Made here, so that the program's network shows nothing of it.
        gate = socket.socketpair()
        inside = (stdin_read, stdout_write, stderr_write, theirs.fileno(), gate[0].fileno())
        try:
            for fd in inside[:3]:
                # So that the program can open /dev/stdin and its like.
                os.fchown(fd, host_id, host_id)
            message = wireform.pack(wireform.ARM, host_id, self._tmpfs_bytes, collect)
            wireform.send(self.sock, message, (*inside, gate[1].fileno()))
            self._await(self.sock)
            reply, pidfds = wireform.receive(self.sock)
            if not reply:
                raise SetupError("keeper", 0)
            kind, *rest = wireform.unpack(reply)
            if kind == wireform.FAILED:
                raise SetupError(*rest)
            sandbox = Sandbox(self, channel, pidfds, (stdin_write, stdout_read, stderr_read))
        except OSError as error:
            for fd in (stdin_write, stdout_read, stderr_read):
                os.close(fd)
            channel.close()
            raise SetupError("keeper", error.errno or 0) from error
        except SetupError:
            for fd in (stdin_write, stdout_read, stderr_read):
                os.close(fd)
            channel.close()
            raise
        finally:
            for fd in inside[:3]:
                os.close(fd)
            for sock in (theirs, *gate):
                sock.close()
        self._await(channel)
        sandbox.await_armed()
        self.leaf.start_counting()
        return sandbox

    def _await(self, sock: socket.socket) -> None:
        """Wait for something to be said there, and give way no longer when that takes long."""
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        if not poll.poll(YIELD_S * 1000):
            self.leaf.press_on()

    def close(self) -> None:
        """End the keeper (it goes when its socket does) and remove its leaf."""
        self.sock.close()
        self.leaf.remove()


class Sandbox:
    """One armed sandbox; used once."""

    def __init__(
        self,
        keeper: Keeper,
        channel: socket.socket,
        pidfds: list[int],
        pipes: tuple[int, int, int],
    ) -> None:
        self._keeper = keeper
        self._channel = channel
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

    def await_armed(self) -> None:
        """Block until the program's process waits for its program; raises SetupError."""
        _limit_waits(self._channel)
        try:
            reply = self._channel.recv(wireform.MAX_MESSAGE_BYTES)
        except OSError as error:
            self.destroy()
            raise SetupError("arming", error.errno or 0) from error
        kind, *rest = wireform.unpack(reply) if reply else (wireform.FAILED, "arming", 0)
        if kind != wireform.ARMED:
            self.destroy()
            raise SetupError(*rest)

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
        data = len(body).to_bytes(8, "little") + body
        try:
            sent = self._channel.sendmsg([data], wireform.rights((notice,)))
            if sent < len(data):
                self._channel.sendall(memoryview(data)[sent:])
        except OSError as error:
            raise SetupError("bench", error.errno or 0) from error
        finally:
            os.close(notice)

    def launch(self, launch: Launch) -> None:
        """Hand the program over; it starts at once. Raises SetupError when it is lost."""
        limits = launch.limits
        try:
            self._keeper.leaf.limit(limits.memory_bytes, limits.processes)
            if self._gives_way:
                self._gives_way = False
                self._keeper.leaf.take_turn()
        except OSError as error:
            raise SetupError("limits", error.errno or 0) from error
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
        data = len(body).to_bytes(8, "little") + body
        descriptors = (launch.executable,) if launch.executable >= 0 else ()
        ancillary = wireform.rights(descriptors)
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
        # The keeper does that too: either of them is enough.
        self._kill()
        try:
            if not self._ended:
                self._receive_end()
            self._await_gone()
        finally:
            self.close_stdin()
            self.end_preparing()
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
            message, descriptors = wireform.receive(self._keeper.sock)
        except OSError:
            return None
        self._ended = True
        if not message:
            return None
        _, status, self._largest_process_bytes = wireform.unpack(message)
        if descriptors:
            self.product = descriptors[0]
        return int(status)

    def _await_gone(self) -> None:
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        if not poll.poll(DESTROY_TIMEOUT_S * 1000):
            raise SetupError("destroy", 0)


def _limit_waits(sock: socket.socket) -> None:
    """Let the kernel end a wait that lasts too long (an OSError); settimeout() would poll first."""
    limit = struct.pack("@ll", int(ARM_TIMEOUT_S), 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
