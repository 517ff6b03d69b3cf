"""The keeper: a fork of a template that arms the sandboxes of one worker, one after another.

Theory of operation
-------------------
The keeper is root outside, runs no code but this package's, and is in the worker's cgroup from
its first moment, so that all it starts is too. When it has made itself ready it executes no
Python any more, but lists of system calls (plan.py): a process that forks and writes pays for
each page that it shares with its last child. Again and again it

  1. waits for the worker's word,
  2. leaves the namespaces of the last sandbox for fresh ones (mount, network, IPC; pid for its
     children; a network in which no socket was made is fresh) and mounts the private places,
  3. starts init (init.py), which is pid 1 there,
  4. forks the program's process, which gives up everything, step by step, makes a holder of its
     memory (holder.py), says ARMED, and blocks until it is handed the program (handover.py),
  5. waits for that process, tells the worker how it ended, and reaps what the worker kills.

How a program ended is thus seen from outside by wait status; nothing inside reports it. What does
not go as it should ends the keeper, and with it all that it has started.

The program's process is a fork of the interpreter. For a warm Python run live() returns in it,
and the interpreter goes on as if it had just been started with the file. For everything else it
executes the program; while it waits for that, it may start the tools that the program will need
(bench.py).
"""

from __future__ import annotations

import builtins
import contextlib
import dataclasses
import fcntl
import gc
import importlib.machinery
import os
import signal
import socket
import sys
import types
from dataclasses import dataclass
from typing import Any, NoReturn

from dcodex_worker.sandbox import (
    answerer,
    handover,
    kernel,
    landlock,
    plan,
    rlimits,
    rootfs,
    seccomp,
    spelled,
    wireform,
)
from dcodex_worker.sandbox.errand import Failed, make
from dcodex_worker.template import rehearsal, slimming

#: The rehearsal takes milliseconds; a machine where it takes this long, in seconds, goes without.
_REHEARSAL_TIMEOUT_S = 5.0
_REHEARSAL_CPU_S = 5.0
_REHEARSAL_FILE_BYTES = 1 << 20
_REHEARSAL_OPEN_FILES = 64
#: Descriptors from here on are in nobody's way.
_ASIDE = 48


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a keeper has of its template."""

    #: The template's /proc/PID/task, of the host's /proc.
    tasks: int
    pid_namespace: int
    #: Directories that are shown beside /usr.
    extra: tuple[str, ...]
    #: seccomp.choose().
    seccomp_filter: seccomp.Filter
    #: Of mounts.maskable(), what there is.
    maskable: tuple[str, ...]
    #: The program of the rehearsal; empty where no warm ones will be run.
    rehearsed: bytes
    #: Whether a warm program may begin without any Python of ours.
    direct: bool
    #: Whether a warm program's file may have any name.
    any_name: bool
    #: The guarantees that may lack.
    lenient: frozenset[str]


class Keeper:
    """One keeper's life."""

    def __init__(self, worker: socket.socket, inheritance: Inheritance) -> None:
        self._worker = worker
        self._inheritance = inheritance
        #: The rehearsal's; its program's holder sleeps in it.
        self._trial: plan.Trial
        self._confinement: plan.Confinement
        self._rounds: plan.Rounds
        self._slimming: slimming.Slimming
        # A program is to spend nothing on taking this apart, and its holder sleeps in a list.
        kernel.keep_for_ever(self)

    def live(self) -> dict[str, Any] | None:
        """Serve the worker until it goes; returns only in the process of a warm program.

        What Python has to do for that, or None. No exception may leave it: this process is an
        interpreter that would go on to run the main.py in front of it, which is a program's, with
        the keeper's rights.
        """
        try:
            if self._prepare():
                return {"rehearse": (plan.CHANNEL, rehearsal.mapped())}
            stop = make(self._slimming.begin)
            # Little is executed from here on: all that a program's process touches is copied.
            if stop is None:
                return None
            return self._otherwise(stop)
        except ConnectionError:
            # The worker went in the middle of a message; init dies with this process.
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)

    def _prepare(self) -> bool:
        """Join the worker and write down all lists; whether this is the rehearsal's program.

        Or else be an answerer, where the worker says so.
        """
        try:
            return self._join()
        except OSError as error:
            failure = Failed("join", error.errno or 0)
        except Failed as error:
            failure = error
        self._fail(failure)

    def _join(self) -> bool:
        data, fds = wireform.receive(self._worker)
        if not data:
            os._exit(0)
        kind, *fields = wireform.unpack(data)
        first, *groups = fds
        for fd in groups:
            os.write(fd, b"0")
            os.close(fd)
        if kind == wireform.ANSWER:
            answerer.serve(self._worker, first)
        host_id, init_id, tmpfs_bytes = fields
        _die_with(first)
        inheritance = self._inheritance
        # The only way to the host's /proc that is left. It lives in the sandboxes' network.
        itself = f"../../{os.getpid()}"
        process = os.open(itself, os.O_PATH | os.O_CLOEXEC, dir_fd=inheritance.tasks)
        os.close(inheritance.tasks)
        # So that a program reads "/" as its group's path and not the host's names.
        kernel.unshare(kernel.CLONE_NEWCGROUP)
        mount_namespace = rootfs.enter_front(inheritance.extra, "overlayfs" in inheritance.lenient)
        enclosure = plan.Enclosure(
            mount_namespace, inheritance.pid_namespace, tmpfs_bytes, host_id, init_id
        )
        pages: tuple[rehearsal.Stretch, ...] = ()
        if inheritance.rehearsed:
            learnt = self._rehearse(enclosure)
            if learnt is None:
                return True
            pages = learnt
        doors = self._plan(enclosure, pages)
        self._slimming = slimming.Slimming(process, self._rounds.idle.begin)
        message = wireform.pack(wireform.JOINED, *dataclasses.astuple(doors))
        wireform.send(self._worker, message, (process,))
        # No program's collector is to find any of this.
        gc.freeze()
        if inheritance.rehearsed:
            # But for this one: what a program leaves in it has destructors that are to be called.
            sys.modules["__main__"] = _fresh_main()
        return False

    def _plan(
        self, enclosure: plan.Enclosure, pages: tuple[rehearsal.Stretch, ...]
    ) -> handover.Doors:
        # All that is open now stays; what the worker sends finds the lowest places that are free.
        places = plan.Places.free()
        self._confinement = confinement = self._confine(enclosure, places, pages)
        self._rounds = rounds = plan.Rounds(self._worker.fileno(), places, enclosure, confinement)
        environment = tuple(os.environ.items()) if self._inheritance.direct else None
        return handover.Doors(
            rounds.first.begin,
            rounds.later.begin,
            confinement.direct,
            confinement.spelled,
            confinement.room,
            environment,
            self._inheritance.any_name,
        )

    def _confine(
        self,
        enclosure: plan.Enclosure,
        places: plan.Places,
        pages: tuple[rehearsal.Stretch, ...],
    ) -> plan.Confinement:
        inheritance = self._inheritance
        return plan.Confinement(
            places,
            enclosure.host_id,
            inheritance.maskable,
            landlock.version(),
            inheritance.seccomp_filter,
            pages,
            inheritance.lenient,
        )

    def _rehearse(self, enclosure: plan.Enclosure) -> tuple[rehearsal.Stretch, ...] | None:
        """Run our own program in a sandbox of its own, as any; see rehearsal.py.

        Returns what it has touched, and None in the program's process.
        """
        ours, theirs = (_set_aside(sock.detach()) for sock in socket.socketpair())
        nothing = _set_aside(os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC))
        places = plan.Places.free()
        self._confinement = confinement = self._confine(enclosure, places, ())
        trial = self._trial = plan.Trial(enclosure, confinement)
        gc.freeze()
        sys.modules["__main__"] = _fresh_main()
        for place, fd in zip(places.given, (nothing, nothing, nothing, theirs), strict=True):
            os.dup2(fd, place, inheritable=False)
        stop = make(trial.errand.begin)
        if not trial.program.value:
            if stop is None:
                return None
            failure = trial.errand.failure(stop)
            if failure is None:
                self._otherwise(stop)
            assert failure is not None
            raise failure
        for fd in (*places.given, nothing, theirs):
            os.close(fd)
        limits = rlimits.of_request(_REHEARSAL_CPU_S, _REHEARSAL_FILE_BYTES, _REHEARSAL_OPEN_FILES)
        files = [(handover.MAIN, 0o644, self._inheritance.rehearsed)]
        doors = handover.Doors(
            0, 0, confinement.direct, confinement.spelled, confinement.room, (), any_name=False
        )
        message = handover.direct(doors, files, limits, plan.GIVEN, channel=-1)
        said = b""
        with socket.socket(fileno=ours) as sock:
            sock.settimeout(_REHEARSAL_TIMEOUT_S)
            with contextlib.suppress(OSError):
                armed = wireform.unpack(sock.recv(wireform.MAX_MESSAGE_BYTES))
                if armed[0] == wireform.ARMED and message is not None:
                    sock.sendall(message)
                    while part := sock.recv(wireform.MAX_PIECE_BYTES):
                        said += part
        # init is not reapable before the program and its holder are.
        os.kill(trial.init.value, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)
        # The last one takes nobody any more.
        kernel.setns(enclosure.pid_namespace, kernel.CLONE_NEWPID)
        return rehearsal.unpack(said)

    def _otherwise(self, stop: int) -> dict[str, Any]:
        """What to do where the calls did not go all the way; `stop` is where they ended."""
        confinement = self._confinement
        if stop == confinement.spelled:
            return spelled.receive(confinement.descriptors())
        failure = confinement.failure(stop)
        if failure is not None:
            spelled.fail(failure)
        failure = self._rounds.failure(stop)
        if failure.step == "idle":
            os._exit(0)
        self._fail(failure)

    def _fail(self, failure: Failed) -> NoReturn:
        message = wireform.pack(wireform.FAILED, failure.step, failure.number)
        wireform.send(self._worker, message)
        os._exit(1)


def _fresh_main() -> types.ModuleType:
    """__main__ as the interpreter makes it.

    The one it made is exempt from garbage collection since gc.freeze(), and with it would be
    the program's objects, whose destructors are to run at its end.
    """
    main = types.ModuleType("__main__")
    vars(main).update(
        __loader__=importlib.machinery.BuiltinImporter, __annotations__={}, __builtins__=builtins
    )
    return main


def _die_with(alive: int) -> None:
    """Have the kernel kill this process when the other end of a pipe is closed."""
    fcntl.fcntl(alive, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(alive, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(alive, fcntl.F_SETFL, os.O_ASYNC)


def _set_aside(fd: int) -> int:
    """The same, out of the way of the lowest descriptors."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ASIDE)
    os.close(fd)
    return moved
