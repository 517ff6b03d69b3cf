"""A process that answers what a keeper's programs ask (questions.py), and does nothing else.

A keeper makes system calls from a list and cannot be asked anything. Nearly no program asks, so
its filter's listener stays with the worker until one does; only then is there such a process, a
fork of the template, for as long as there is the keeper. It joins the sandbox's group: who asks
much is to spend its own sandbox's time.
"""

from __future__ import annotations

import os
import select
import socket
from typing import NoReturn

from dcodex_worker.sandbox import questions, wireform


def serve(worker: socket.socket, process: int) -> NoReturn:
    """Answer until the worker goes, which sends listeners.

    process: the keeper's directory in the host's /proc.
    """
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
    # Of a worker only that it is gone, which takes all along; the next listener waits.
    poll.register(worker, 0)
    while True:
        ready = dict(poll.poll())
        if worker.fileno() in ready:
            os._exit(0)
        if not ready[listener] & select.POLLIN:
            return
        questions.answer(listener, process)
