"""A process beside a keeper that answers what programs' filters ask (questions.py).

A keeper makes system calls from a list and cannot be asked anything. Nearly no program asks, so
its filter's listener stays with the worker until it does, and then comes here: who asks much is
to spend its own sandbox's time, of whose group this process is.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import sys
from typing import NoReturn

from dcodex_worker.sandbox import kernel, questions, wireform

#: No keeper has a descriptor from here on.
_END = 256


def start(worker: socket.socket, process: int) -> None:
    """Fork it; returns in the keeper. Raises OSError where the machine refuses.

    worker: where listeners come from; it ends when that does. process: the keeper's directory in
    the host's /proc.
    """
    child = kernel.fork()
    if child == 0:
        try:
            # Nobody's child: a keeper waits until all of its own are gone.
            if kernel.fork() == 0:
                _close_all_but(worker.fileno(), process)
                _serve(worker, process)
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            # An interpreter that goes on would run whatever main.py there is, with our rights.
            os._exit(1)
    if os.waitpid(child, 0)[1]:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def _close_all_but(*kept: int) -> None:
    """Close what the keeper has open, its own socket above all: the standard three stay."""
    first = 3
    for fd in (*sorted(kept), _END):
        os.closerange(first, fd)
        first = fd + 1


def _serve(worker: socket.socket, process: int) -> NoReturn:
    while True:
        data, listeners = wireform.receive(worker)
        if not data:
            os._exit(0)
        for listener in listeners:
            _answer_all(worker, listener, process)
            os.close(listener)


def _answer_all(worker: socket.socket, listener: int, process: int) -> None:
    """Until nobody is left who could ask."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    # A worker that is gone takes all along; the next listener waits.
    poll.register(worker, 0)
    while True:
        ready = dict(poll.poll())
        if worker.fileno() in ready:
            os._exit(0)
        if not ready[listener] & select.POLLIN:
            return
        questions.answer(listener, process)
