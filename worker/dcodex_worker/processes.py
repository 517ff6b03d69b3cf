"""What our own processes ask of the kernel: to die with their parent, a name, few descriptors."""

from __future__ import annotations

import ctypes
import os
import signal

from dcodex_shared import stopping

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_libc = ctypes.CDLL(None, use_errno=True)


def die_with(parent: int) -> None:
    """Be killed when the parent process (which this one was forked from) ends.

    parent: its pid as it knew it before the fork.
    """
    if _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # It may have ended before the request was made.
    if os.getppid() != parent:
        os._exit(1)


def set_name(name: str) -> None:
    """What ps and top show; the kernel keeps 15 bytes."""
    _libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def close_all_but(kept: set[int]) -> None:
    """Close every descriptor above 2 that is not kept."""
    first = 3
    for fd in sorted(kept):
        os.closerange(first, fd)
        first = max(first, fd + 1)
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def leave_signals_to_host() -> None:
    """Let SIGINT and SIGTERM pass: a terminal or an init sends them to all of us at once.

    Handlers rather than SIG_IGN: what is ignored stays so in every program started from here.
    """
    stopping.tell(lambda _: None)
