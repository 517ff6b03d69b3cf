"""What SIGTERM and SIGINT do to a process of the farm, from its first line to its last.

Theory of operation
-------------------
Python's own ways are no use here: SIGINT raises an exception wherever the process happens to be,
SIGTERM kills it without a word, and both come back when an event loop is closed and when the
interpreter ends. So a process says at each turn of its life what the two are to do:

    end_at_once   there is nothing to undo yet, or any more: they end it, with the status of one
                  that was stopped
    hold          something is being made that would be left behind: they wait
    tell          it serves: a listener hears of them, also of one that waited
    disregard     it ends, and its status is settled

Whoever starts such a process holds them for it: a mask is inherited, and stays through exec. So
one that is sent before the first line of ours runs waits for it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType

STOPS = (signal.SIGTERM, signal.SIGINT)


def end_at_once() -> None:
    """From here on they end the process, whatever it is at."""
    _handle(_end)
    release()


def hold() -> None:
    """From here on they wait."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)


def release() -> None:
    """What waited comes now, to whatever the two are to do."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


def tell(listener: Callable[[int], object]) -> None:
    """From here on the listener hears the number of each, on the main thread, between any two

    lines of what runs there: it must be quick, and take no lock.
    """
    _handle(lambda number, _: listener(number))
    release()


def disregard() -> None:
    """From here on they do nothing, not even while the interpreter ends."""
    # Only what is ignored stays so then: for handlers it puts the kernel's defaults back.
    _handle(signal.SIG_IGN)


def _handle(action: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    for number in STOPS:
        signal.signal(number, action)


def _end(_number: int, _frame: FrameType | None) -> None:
    # No exception: there is code, of ours and of others, that would catch it.
    os._exit(0)
