"""All system calls that put one program into a sandbox, in their order.

Two lists: what a keeper does from one sandbox to the next, and what the program's process does
until it is handed its program. Both are the same for every sandbox of a keeper.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from dcodex_worker.sandbox import (
    credentials,
    handover,
    holder,
    init,
    kernel,
    keyring,
    landlock,
    mounts,
    network,
    rlimits,
    seccomp,
    wireform,
)
from dcodex_worker.sandbox.errand import WHATEVER, Errand, Failed, Number
from dcodex_worker.template import rehearsal

#: Descriptor of the program's process above the standard three: the channel to the worker.
CHANNEL = 3
#: Descriptors that a program's process is given: those from 0 on.
GIVEN = 4
#: Where descriptors wait for their places; above all that a keeper has.
_WAITING = 64
#: The program's processes go before the keeper, and first when the machine runs out of memory.
_OOM_SCORE = "1000"
#: What a keeper is told: a list's address.
_ADDRESS = struct.Struct("=Q")
#: waitid(2)'s kind of id.
_P_PIDFD = 3
_ANY_CHILD = -1
#: Of struct clone's arguments, where the kernel leaves the child's pid.
_CLONE_TOLD = 2
#: The same of Errand.fork().
_FORK_TOLD = 2


@dataclass(frozen=True, slots=True)
class Enclosure:
    """What all sandboxes of a keeper have in common."""

    #: Descriptors of the keeper's own namespaces.
    mount_namespace: int
    pid_namespace: int
    tmpfs_bytes: int
    host_id: int
    init_id: int


@dataclass(frozen=True, slots=True)
class Places:
    """The descriptors that the kernel gives a keeper for one sandbox, the same ones each time."""

    #: For the program's process.
    given: tuple[int, ...]
    #: pidfds.
    init: int
    program: int

    @classmethod
    def free(cls) -> Places:
        """The lowest that are free now; raises Failed where they are too high."""
        found = [os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC) for _ in range(GIVEN + 2)]
        for fd in found:
            os.close(fd)
        if max(found) >= _WAITING:
            raise Failed("descriptors", errno.EMFILE)
        return cls(tuple(found[:GIVEN]), found[GIVEN], found[GIVEN + 1])


class Trial:
    """One sandbox for a program of the keeper's own: the list ends when the program is forked."""

    def __init__(self, enclosure: Enclosure, confinement: Confinement) -> None:
        #: Both pids; 0 in the program's process, and before.
        self.init = ctypes.c_int32(0)
        self.program = ctypes.c_int64(0)
        self.errand = Errand()
        _enclose(
            self.errand,
            enclosure,
            confinement,
            new_network=True,
            init_told=ctypes.addressof(self.init),
            program_told=ctypes.addressof(self.program),
        )
        self.errand.seal()


class Rounds:
    """A keeper's lists: await the worker's word, arm, tell how the program ended, begin anew."""

    def __init__(
        self, worker: int, places: Places, enclosure: Enclosure, confinement: Confinement
    ) -> None:
        """worker: the socket to it."""
        word = wireform.Incoming(_ADDRESS.size)
        self._kept = word
        self._report = ctypes.create_string_buffer(wireform.REPORT.size)
        self.idle = Errand()
        self.idle.step("idle")
        word.plan_again(self.idle)
        flags = socket.MSG_CMSG_CLOEXEC
        self.idle.call(Number.RECVMSG, worker, word.header, flags, result=_ADDRESS.size)
        self.idle.goto(word.data)
        self.idle.seal()
        self._worker, self._places = worker, places
        #: With a new network namespace, and with the last one, in which no socket was ever made.
        self.first = self._round(enclosure, confinement, new_network=True)
        self.later = self._round(enclosure, confinement, new_network=False)

    def failure(self, stop: int) -> Failed:
        """What ended the calls at this address."""
        failures = (errand.failure(stop) for errand in (self.idle, self.first, self.later))
        return next(failure for failure in failures if failure is not None)

    def _round(
        self, enclosure: Enclosure, confinement: Confinement, *, new_network: bool
    ) -> Errand:
        errand = Errand()
        cloned, forked = _enclose(errand, enclosure, confinement, new_network=new_network)
        errand.step("pidfds")
        places = self._places
        opened = [
            errand.call(Number.PIDFD_OPEN, 0, 0, result=fd) for fd in (places.init, places.program)
        ]
        arming = wireform.pack(wireform.ARMING)
        message = wireform.outgoing(errand, arming, (places.init, places.program))
        errand.call(Number.SENDMSG, self._worker, message, 0, result=len(arming))
        for fd in (*places.given, places.init):
            errand.call(Number.CLOSE, fd)
        errand.step("end")
        report = ctypes.addressof(self._report)
        usage = report + wireform.SIGINFO_BYTES
        errand.call(Number.WAITID, _P_PIDFD, places.program, report, os.WEXITED, usage, result=0)
        size = wireform.REPORT.size
        errand.call(Number.WRITE, self._worker, report, size, result=size)
        errand.call(Number.CLOSE, places.program)
        # Init, which the worker kills, and the holder, which there may be none of: init is not
        # reapable before all in its namespace are gone and reaped.
        for expected in (WHATEVER, WHATEVER, -errno.ECHILD):
            errand.call(Number.WAIT4, _ANY_CHILD, 0, 0, 0, result=expected)
        errand.goto(errand.pointer(_ADDRESS.pack(self.idle.begin)))
        errand.seal()
        for place, index, call in zip(
            (cloned, forked), (_CLONE_TOLD, _FORK_TOLD), opened, strict=True
        ):
            errand.set_argument(place, index, errand.argument(call, 0))
        return errand


def _enclose(
    errand: Errand,
    enclosure: Enclosure,
    confinement: Confinement,
    *,
    new_network: bool,
    init_told: int = 0,
    program_told: int = 0,
) -> tuple[int, int]:
    """In the keeper: from the namespaces of the last sandbox to the processes of the next.

    confinement: what the program's process then does. init_told, program_told: the addresses
    that pids are written to. Returns the places of the calls that do.
    """
    errand.step("namespaces")
    errand.call(Number.SETNS, enclosure.mount_namespace, kernel.CLONE_NEWNS)
    errand.call(Number.SETNS, enclosure.pid_namespace, kernel.CLONE_NEWPID)
    network_flag = kernel.CLONE_NEWNET if new_network else 0
    errand.call(
        Number.UNSHARE,
        kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC | kernel.CLONE_NEWPID | network_flag,
    )
    errand.step("mounts")
    mounts.plan_writable(errand, enclosure.tmpfs_bytes, enclosure.host_id)
    errand.step("init")
    cloned = init.plan(errand, enclosure.init_id, init_told)
    errand.step("fork")
    return cloned, errand.fork(confinement.errand, program_told)


class Confinement:
    """In the program's process: from all of root's rights to none, and to its program."""

    def __init__(
        self,
        places: Places,
        host_id: int,
        maskable: tuple[str, ...],
        landlock_interface: int,
        seccomp_filter: seccomp.Filter,
        pages: Iterable[rehearsal.Stretch],
        lenient: frozenset[str],
    ) -> None:
        """pages: what to have provided beforehand; lenient: the guarantees that may lack.

        Raises Failed where another one lacks.
        """
        if landlock_interface == 0 and "landlock" not in lenient:
            raise Failed("landlock", errno.EOPNOTSUPP)
        if not seccomp_filter.flags and "seccomp-listener" not in lenient:
            raise Failed("seccomp", errno.EBUSY)
        errand = self.errand = Errand()
        # In this order: each step needs a privilege that a later one gives up.
        errand.step("descriptors")
        # By way of higher numbers: what goes to one place may be what is in another.
        for target, fd in enumerate(places.given):
            errand.call(Number.DUP2, fd, _WAITING + target)
        for target in range(GIVEN):
            errand.call(Number.DUP2, _WAITING + target, target)
        errand.call(Number.FCNTL, CHANNEL, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        errand.close_from(GIVEN)
        errand.step("session")
        errand.call(Number.SETSID)
        errand.step("keyring")
        keyring.plan(errand, "keyring" in lenient)
        errand.step("network")
        network.plan(errand, GIVEN)
        errand.step("proc")
        mounts.plan_proc(errand, maskable)
        errand.step("oom score")
        errand.write_file("/proc/self/oom_score_adj", _OOM_SCORE, GIVEN)
        errand.step("rlimits")
        rlimits.plan(errand)
        errand.step("queues")
        queues, free = -1, GIVEN
        if landlock.has_queues(landlock_interface):
            landlock.plan_queues(errand, free)
            queues, free = free, free + 1
        errand.step("credentials")
        credentials.plan(errand, host_id, free)
        # Before somebody shares this memory, whose processor would have to be told of each page.
        errand.step("pages")
        for address, count, writable in pages:
            advice = kernel.MADV_POPULATE_WRITE if writable else kernel.MADV_POPULATE_READ
            size = count * rehearsal.PAGE_BYTES
            # It only saves time: what is not there any more is passed over.
            errand.call(Number.MADVISE, address, size, advice, result=WHATEVER)
        # Before Landlock, which keeps the program from reaching anyone outside its own domain.
        errand.step("holder")
        holder.plan(errand)
        errand.step("landlock")
        landlock.plan(errand, landlock_interface, queues, free)
        errand.step("seccomp")
        armed = wireform.pack(wireform.ARMED)
        seccomp.plan(errand, seccomp_filter, CHANNEL, armed, GIVEN)
        errand.step("channel")
        self._head = wireform.Incoming(handover.HEAD.size)
        flags = socket.MSG_CMSG_CLOEXEC | socket.MSG_WAITALL
        size = handover.HEAD.size
        errand.call(Number.RECVMSG, CHANNEL, self._head.header, flags, result=size)
        errand.goto(self._head.data)
        # What the head may name: to receive a list where it says, and to go on there; or the end.
        errand.step("list")
        vector = self._head.data + handover.HEAD_VECTOR
        rest = wireform.header(errand, vector)
        direct = errand.call(Number.RECVMSG, CHANNEL, rest, socket.MSG_WAITALL)
        errand.goto(vector)
        errand.step("spelled")
        spelled = errand.call(Number.CLOSE, -1, result=0)
        errand.seal()
        self._room = ctypes.create_string_buffer(handover.LIST_BYTES)
        #: Where a list is received, and the addresses of those two entries.
        self.room = ctypes.addressof(self._room)
        self.direct, self.spelled = errand.entry(direct), errand.entry(spelled)

    def descriptors(self) -> list[int]:
        """Those that came with the head."""
        return self._head.descriptors()

    def failure(self, stop: int) -> Failed | None:
        """What ended the calls of a program's process at this address; None: not one of them."""
        if self.room <= stop < self.room + handover.LIST_BYTES:
            return handover.failure(stop)
        return self.errand.failure(stop)
