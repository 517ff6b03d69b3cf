"""Messages' frames in and out of ZeroMQ sockets: what is large is not copied on the way."""

from __future__ import annotations

import zmq
import zmq.backend

from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.limits import KIB
from dcodex_shared.messages import Payload

#: Payloads from this size on stay where ZeroMQ received them. Smaller ones are copied: that costs
#: less than a view, and ZeroMQ may hold several of them in one buffer, which a view would keep.
UNCOPIED_BYTES = 16 * KIB

#: put(socket, frame, flags): the compiled send itself. What zmq.Socket has around it is for kinds
#: of sockets that there are none of here, and takes twice as long as sending; send_multipart more.
put = zmq.backend.Socket.send

# Plain numbers: combining flags of pyzmq's enumeration takes longer than sending.
#: For a message's first frame: zmq.Again where the peer takes no more.
FIRST = int(zmq.NOBLOCK) | int(zmq.SNDMORE)
#: For frames between the first and the last.
MORE = int(zmq.SNDMORE)


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
