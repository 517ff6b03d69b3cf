"""A process that shares a program's memory, so that nobody waits for it to be taken down.

Theory of operation
-------------------
When a process ends, the kernel first gives back all its memory, a thousand pages and more of a
fork of an interpreter, and only then says to anyone that it has ended. But memory goes with the
last process that has it. So a second process has it too, the holder: the end of the program is
known at once, and the memory is given back when the keeper has said so and kills what is left.

The holder is made when the program's process has nothing of root any more, shares that
process's identity, has no descriptor, and may make no system call but futex(2) and exit(2): it
sleeps, and what a program may make it do through its memory, the program could do itself. Where
the program executes another, the kernel wakes the holder by the word that it clears for whoever
waits for a thread (set_tid_address(2)), and the holder goes, so that memory that nobody uses
does not count.
"""

from __future__ import annotations

import signal
import struct

from dcodex_worker.sandbox import kernel, seccomp
from dcodex_worker.sandbox.errand import WHATEVER, Errand, Number

_SCHED_IDLE = 5
_FUTEX_WAIT = 0
_FUTEX_CMP_REQUEUE = 4
_FUTEX_WAKE_OP = 5
#: What the holder says of itself.
_ASLEEP = 1
_FAILED = 2
#: What it may call.
ALLOWED = (Number.FUTEX, Number.EXIT_GROUP)


def plan(errand: Errand) -> None:
    """Start a holder of this process's memory, and wait until it may do nothing any more.

    After the user namespace was entered, which a process may only do that shares its memory
    with none; before the filter, which forbids CLONE_PARENT.
    """
    state = errand.pointer(struct.pack("=I", 0))
    gone = errand.pointer(struct.pack("=I", 1))
    life = Errand()
    life.close_from(0)
    life.call(Number.SCHED_SETSCHEDULER, 0, _SCHED_IDLE, struct.pack("=i", 0))
    seccomp.plan_only(life, ALLOWED)
    life.call(Number.FUTEX, state, _FUTEX_WAKE_OP, 1, 0, state, _set(_ASLEEP))
    life.call(Number.FUTEX, gone, _FUTEX_WAIT, 1, result=WHATEVER)
    life.call(Number.EXIT_GROUP, 0)
    failed = Errand()
    failed.call(Number.FUTEX, state, _FUTEX_WAKE_OP, 1, 0, state, _set(_FAILED))
    failed.call(Number.EXIT_GROUP, 1)
    errand.call(Number.SET_TID_ADDRESS, gone)
    # The keeper's child, as the program is, with the program's memory.
    flags = kernel.CLONE_VM | kernel.CLONE_PARENT | signal.SIGCHLD
    errand.branch(flags, life, failed)
    errand.call(Number.FUTEX, state, _FUTEX_WAIT, 0, result=WHATEVER)
    # Moves nobody, and succeeds only where the word is what it should be by now.
    errand.call(Number.FUTEX, state, _FUTEX_CMP_REQUEUE, 0, 0, gone, _ASLEEP)


def _set(value: int) -> int:
    """FUTEX_OP(FUTEX_OP_SET, value, FUTEX_OP_CMP_EQ, 0)."""
    return value << 12
