"""The first process of a pid namespace: it only waits for ever.

It executes nothing of anyone's: a list of system calls (errand.py), in memory that it shares with
the keeper, by which it gives up root, asks to die with the keeper and sleeps, deaf to every signal
that can be refused. The kernel itself reaps the orphans that a program leaves to it. It cannot be
signalled, traced or read by the program, which has another uid. When it is killed the kernel
kills everything in the namespace, and it is not reapable before all is gone.
"""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Iterable

from dcodex_worker.sandbox import kernel
from dcodex_worker.sandbox.errand import WHATEVER, Errand, Number

#: The highest of ordinary priorities: killing init is how all others are killed, which it does
#: itself, before they go on.
_FIRST = -20
_SIG_DFL, _SIG_IGN = 0, 1
#: Of the kernel's sigset_t, in bytes.
_SIGNALS_BYTES = 8


def plan(errand: Errand, init_id: int, told: int) -> int:
    """Start init, as user and group init_id; in the keeper, as root.

    told: where its pid is written to, 4 bytes. Returns the place of the call that does, whose
    third argument that is.
    """
    life = Errand()
    life.close_from(0)
    life.call(Number.SETPRIORITY, os.PRIO_PROCESS, 0, _FIRST, result=WHATEVER)
    life.call(Number.SETRESGID, init_id, init_id, init_id)
    life.call(Number.SETRESUID, init_id, init_id, init_id)
    # Giving up root forgets it.
    life.call(Number.PRCTL, kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    life.call(Number.PAUSE, result=WHATEVER)
    life.call(Number.EXIT_GROUP, 1)
    failed = Errand()
    failed.call(Number.EXIT_GROUP, 1)
    # Inherited, so that there is no moment without: no signal comes through, and the kernel reaps.
    # What is blocked before is known now: a list that ended in between leaves everything blocked.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    everything = b"\xff" * _SIGNALS_BYTES
    errand.call(Number.RT_SIGPROCMASK, signal.SIG_SETMASK, everything, 0, _SIGNALS_BYTES)
    errand.call(Number.RT_SIGACTION, signal.SIGCHLD, _action(_SIG_IGN), 0, _SIGNALS_BYTES)
    flags = kernel.CLONE_VM | kernel.CLONE_PARENT_SETTID | signal.SIGCHLD
    place = errand.branch(flags, life, failed, told)
    errand.call(Number.RT_SIGACTION, signal.SIGCHLD, _action(_SIG_DFL), 0, _SIGNALS_BYTES)
    errand.call(Number.RT_SIGPROCMASK, signal.SIG_SETMASK, _set_of(before), 0, _SIGNALS_BYTES)
    return place


def _set_of(signals: Iterable[int]) -> bytes:
    """sigset_t of the kernel's."""
    return struct.pack("=Q", sum(1 << number - 1 for number in signals))


def _action(handler: int) -> bytes:
    """struct kernel_sigaction: handler, flags, restorer, mask."""
    return struct.pack("=4Q", handler, 0, 0, 0)
