"""All system calls that put one program into a sandbox, in their order.

Two lists: what the keeper does until it has forked the program's process, and what that process
does until it is handed its program. Both are the same for every sandbox of a keeper but for
the descriptors.
"""

from __future__ import annotations

import errno
import fcntl
import socket
from collections.abc import Iterable, Sequence

from dcodex_worker.sandbox import (
    credentials,
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
from dcodex_worker.sandbox.errand import OUTCOME, WHATEVER, Errand, Failed, Number
from dcodex_worker.template import rehearsal

#: Descriptors of the program's process above the standard three: the channel to the worker, and
#: the gate, by which the keeper gets the filter's listener.
CHANNEL = 3
_GATE = 4
_TAKEN = 5
#: Where descriptors wait for their places; above all that a keeper has.
_WAITING = 64
#: The program's processes go before the keeper, and first when the machine runs out of memory.
_OOM_SCORE = "1000"


def enclose(
    mount_namespace: int,
    pid_namespace: int,
    tmpfs_bytes: int,
    host_id: int,
    init_id: int,
    init_told: int,
    confinement: Confinement,
    *,
    new_network: bool,
) -> Errand:
    """In the keeper: from the namespaces of the last sandbox to the processes of the next.

    mount_namespace, pid_namespace: descriptors of the keeper's own.
    init_told: the address that init's pid is written to, 4 bytes.
    confinement: what the program's process then does.
    new_network: otherwise that of the last sandbox, in which no socket was ever made.
    """
    errand = Errand()
    errand.step("namespaces")
    errand.call(Number.SETNS, mount_namespace, kernel.CLONE_NEWNS)
    errand.call(Number.SETNS, pid_namespace, kernel.CLONE_NEWPID)
    network_flag = kernel.CLONE_NEWNET if new_network else 0
    errand.call(
        Number.UNSHARE,
        kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC | kernel.CLONE_NEWPID | network_flag,
    )
    errand.step("mounts")
    mounts.plan_writable(errand, tmpfs_bytes, host_id)
    errand.step("init")
    init.plan(errand, init_id, init_told)
    errand.step("fork")
    errand.fork(confinement.errand)
    errand.seal()
    return errand


class Confinement:
    """In the program's process: from all of root's rights to none, and to its first message."""

    def __init__(
        self,
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
        self._places = [errand.call(Number.DUP2, -1, _WAITING + target) for target in range(_TAKEN)]
        for target in range(_TAKEN):
            errand.call(Number.DUP2, _WAITING + target, target)
        for fd in (CHANNEL, _GATE):
            errand.call(Number.FCNTL, fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        errand.close_from(_TAKEN)
        errand.step("session")
        errand.call(Number.SETSID)
        errand.step("keyring")
        keyring.plan(errand, "keyring" in lenient)
        errand.step("network")
        network.plan(errand, _TAKEN)
        errand.step("proc")
        mounts.plan_proc(errand, maskable)
        errand.step("oom score")
        errand.write_file("/proc/self/oom_score_adj", _OOM_SCORE, _TAKEN)
        errand.step("rlimits")
        rlimits.plan(errand)
        errand.step("queues")
        queues, free = -1, _TAKEN
        if landlock.has_queues(landlock_interface):
            landlock.plan_queues(errand, free)
            queues, free = free, free + 1
        errand.step("credentials")
        credentials.plan(errand, host_id, free)
        # Before Landlock, which keeps the program from reaching anyone outside its own domain.
        errand.step("holder")
        holder.plan(errand)
        errand.step("landlock")
        landlock.plan(errand, landlock_interface, queues, free)
        errand.step("pages")
        for address, count, writable in pages:
            advice = kernel.MADV_POPULATE_WRITE if writable else kernel.MADV_POPULATE_READ
            size = count * rehearsal.PAGE_BYTES
            # It only saves time: what is not there any more is passed over.
            errand.call(Number.MADVISE, address, size, advice, result=WHATEVER)
        errand.step("seccomp")
        seccomp.plan(errand, seccomp_filter, _GATE, _TAKEN)
        errand.step("channel")
        armed = wireform.pack(wireform.ARMED)
        errand.call(Number.WRITE, CHANNEL, armed, len(armed), result=len(armed))
        self._message = wireform.Incoming()
        header = self._message.header
        errand.call(Number.RECVMSG, CHANNEL, header, socket.MSG_CMSG_CLOEXEC, result=OUTCOME)
        errand.seal()

    def take(self, descriptors: Sequence[int]) -> None:
        """The program's standard three, the channel and the gate, for the next one.

        Raises Failed.
        """
        if max(descriptors) >= _WAITING:
            raise Failed("descriptors", errno.EMFILE)
        for place, fd in zip(self._places, descriptors, strict=True):
            self.errand.set_argument(place, 0, fd)

    def received(self, size: int) -> tuple[bytes, list[int]]:
        """The beginning of what the worker sends, of this size, and descriptors with it."""
        return self._message.take(size)
