"""What holds for every test."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

#: How a terminal leaves what a shell, or nohup, makes a command in the background ignore. A process
#: inherits that, and some tests are about what these signals do to programs.
_USUAL: dict[signal.Signals, Callable[[int, FrameType | None], Any] | signal.Handlers] = {
    signal.SIGHUP: signal.SIG_DFL,
    signal.SIGINT: signal.default_int_handler,
    signal.SIGQUIT: signal.SIG_DFL,
}


def pytest_configure() -> None:
    """Begin with the signals as usual, wherever the tests are started."""
    for number, handler in _USUAL.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
