"""What the keeper answers to a program that wants a socket."""

from __future__ import annotations

import errno

from dcodex_worker.sandbox import sockets


def test_sockets_are_had_up_to_the_bound_and_not_beyond() -> None:
    assert sockets.decide_socket(0) is None
    assert sockets.decide_socket(sockets.MOST_SOCKETS - 1) is None
    assert sockets.decide_socket(sockets.MOST_SOCKETS) == errno.ENFILE


def test_few_sockets_may_have_large_buffers_and_many_keep_the_usual_ones() -> None:
    assert sockets.decide_buffer(sockets.MOST_LARGE) is None
    assert sockets.decide_buffer(sockets.MOST_LARGE + 1) == 0
