"""What holds for every test."""

from __future__ import annotations

import signal

#: What a shell, or nohup, makes a command started in the background ignore. A process inherits
#: that, and some tests are about what these signals do to programs.
_OFTEN_IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


def pytest_configure() -> None:
    """Begin with the signals as a terminal leaves them, wherever the tests are started."""
    for number in _OFTEN_IGNORED:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
