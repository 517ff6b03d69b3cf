"""What the broker's loop sleeps on, over real ZeroMQ sockets."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
import zmq

from dcodex_coordinator.readiness import Readiness, is_readable

#: Nothing here takes a hundredth of this.
PATIENCE_S = 10.0

Ends = tuple[zmq.Socket[bytes], zmq.Socket[bytes]]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The two ends of one connection."""
    with zmq.Context() as context, context.socket(zmq.PAIR) as one, context.socket(zmq.PAIR) as two:
        for end in (one, two):
            end.setsockopt(zmq.LINGER, 0)
        one.bind("inproc://readiness")
        two.connect("inproc://readiness")
        yield one, two


@pytest.fixture
def readiness() -> Iterator[Readiness]:
    made = Readiness()
    yield made
    made.close()


def drain(socket: zmq.Socket[bytes]) -> list[bytes]:
    taken = []
    while is_readable(socket):
        taken.append(socket.recv(zmq.NOBLOCK))
    return taken


def wait_for(readiness: Readiness, socket: zmq.Socket[bytes]) -> None:
    """A descriptor may wake the loop for news that is no message."""
    due = time.monotonic() + PATIENCE_S
    while not (readiness.wait(PATIENCE_S) == [socket] and is_readable(socket)):
        assert time.monotonic() < due


def test_a_message_wakes_whoever_waits(ends: Ends, readiness: Readiness) -> None:
    one, two = ends
    readiness.watch(one)
    two.send(b"hello")
    wait_for(readiness, one)
    assert drain(one) == [b"hello"]


def test_what_was_there_before_it_was_watched_is_told_of(ends: Ends, readiness: Readiness) -> None:
    one, two = ends
    two.send(b"early")
    assert is_readable(one)  # which also uses its descriptor up
    readiness.watch(one)
    assert readiness.wait(PATIENCE_S) == [one]


def test_a_message_that_another_call_took_note_of_is_told_of(
    ends: Ends, readiness: Readiness
) -> None:
    one, two = ends
    readiness.watch(one)
    readiness.wait(0.0)
    drain(one)
    two.send(b"unseen")
    # As a send does from time to time: from here on the descriptor tells nothing.
    assert is_readable(one)
    readiness.touch(one)
    assert readiness.wait(PATIENCE_S) == [one]
    assert drain(one) == [b"unseen"]


def test_a_drained_socket_is_not_told_of(ends: Ends, readiness: Readiness) -> None:
    one, two = ends
    readiness.watch(one)
    two.send(b"hello")
    wait_for(readiness, one)
    readiness.touch(one)
    drain(one)
    readiness.drained(one)
    assert readiness.wait(0.0) == []


def test_a_descriptor_wakes_it_with_no_socket(readiness: Readiness) -> None:
    read, write = os.pipe()
    try:
        readiness.watch(read)
        os.write(write, b"x")
        assert readiness.wait(PATIENCE_S) == []
    finally:
        os.close(read)
        os.close(write)
