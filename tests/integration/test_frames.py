"""Messages' frames over real ZeroMQ sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import zmq

from dcodex_shared import frames
from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.frames import UNCOPIED_BYTES

PATIENCE_MS = 10_000


@pytest.fixture
def ends() -> Iterator[tuple[zmq.Socket[bytes], zmq.Socket[bytes]]]:
    """The two ends of one connection."""
    with zmq.Context() as context, context.socket(zmq.PAIR) as one, context.socket(zmq.PAIR) as two:
        for end in (one, two):
            end.setsockopt(zmq.RCVTIMEO, PATIENCE_MS)
            end.setsockopt(zmq.LINGER, 0)
        one.bind("inproc://frames")
        two.connect("inproc://frames")
        yield one, two


Ends = tuple[zmq.Socket[bytes], zmq.Socket[bytes]]


@pytest.mark.parametrize("size", [0, 1, UNCOPIED_BYTES - 1, UNCOPIED_BYTES, 1 << 20])
def test_a_message_goes_through_as_it_is_and_only_small_payloads_are_copied(
    ends: Ends, size: int
) -> None:
    one, two = ends
    payload = bytes(range(256)) * (size // 256) + b"y" * (size % 256)
    one.send_multipart((b"header", payload))
    header, received = frames.receive(two)
    assert (header, bytes(received)) == (b"header", payload)
    assert isinstance(received, memoryview) == (size >= UNCOPIED_BYTES)
    passed_on = frames.whole(received)
    assert isinstance(passed_on, zmq.Frame) == (size >= UNCOPIED_BYTES)
    two.send(passed_on)
    assert one.recv() == payload
    # Sending took nothing from it.
    assert bytes(received) == payload


def test_a_part_of_a_payload_is_sent_as_that_part(ends: Ends) -> None:
    one, two = ends
    one.send_multipart((b"header", b"a" * UNCOPIED_BYTES + b"bc"))
    _, received = frames.receive(two)
    two.send(frames.whole(received[UNCOPIED_BYTES:]))
    assert one.recv() == b"bc"


@pytest.mark.parametrize("count", [1, 3, 7])
def test_another_number_of_frames_is_an_error_and_leaves_nothing_behind(
    ends: Ends, count: int
) -> None:
    one, two = ends
    one.send_multipart([b"x"] * count)
    one.send_multipart((b"the", b"next"))
    with pytest.raises(RemoteProtocolError, match=f"expected 2 frames, got {count}"):
        frames.receive(two)
    assert frames.receive(two) == (b"the", b"next")


def test_where_nothing_has_come_it_does_not_wait_when_told_so(ends: Ends) -> None:
    with pytest.raises(zmq.Again):
        frames.receive(ends[1], zmq.NOBLOCK)
