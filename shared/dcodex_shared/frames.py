"""Messages' frames in and out of ZeroMQ sockets: what is large is not copied on the way."""

from __future__ import annotations

import zmq

from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.limits import KIB
from dcodex_shared.messages import Payload

#: Payloads from this size on stay where ZeroMQ received them. Smaller ones are copied: that costs
#: less than a view, and ZeroMQ may hold several of them in one buffer, which a view would keep.
UNCOPIED_BYTES = 16 * KIB


def receive(socket: zmq.Socket[bytes], flags: int = 0) -> tuple[bytes, Payload]:
    """Take header and payload; RemoteProtocolError where these are not the frames left.

    Frame by frame: recv_multipart costs three times as much as the frames.
    """
    first = socket.recv(flags, False)
    if not first.more:
        raise RemoteProtocolError("expected 2 frames, got 1")
    # ZeroMQ hands over whole messages: what follows the first frame is there.
    second = socket.recv(0, False)
    if second.more:
        count = 3
        while socket.recv(0, False).more:
            count += 1
        raise RemoteProtocolError(f"expected 2 frames, got {count}")
    return first.bytes, second.bytes if len(second) < UNCOPIED_BYTES else second.buffer


def whole(payload: Payload) -> bytes | zmq.Frame:
    """What to give to send() for a payload: one that receive() did not copy is not copied now."""
    if isinstance(payload, memoryview):
        frame = payload.obj
        if isinstance(frame, zmq.Frame) and len(frame) == len(payload):
            return frame
        return bytes(payload)
    return payload
