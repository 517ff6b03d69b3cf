"""A hostile peer on the ZeroMQ sockets: bytes of any kind, and messages that are not its own."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import msgpack
import zmq

from dcodex_shared.messages import (
    Cancel,
    Credit,
    Finished,
    Hello,
    Lease,
    Message,
    Output,
    Ready,
    Role,
    Signal,
    StartWorker,
    Stdin,
    StdinCredit,
    Verdict,
    Welcome,
    WorkerExited,
)
from dcodex_shared.wire import encode

#: Frames that one visit brings.
FRAMES = 200
#: What a socket may take to get them out, in milliseconds.
LINGER_MS = 500
_TAGS = 40


def visit(runtime_dir: Path, rng: Random) -> None:
    """Be hostile once, on a door at random; returns when everything is on its way."""
    name = rng.choice(("gateways.sock", "workers.sock"))
    if rng.random() < 0.3:
        _raw(runtime_dir / name, rng)
        return
    role = rng.choice((Role.GATEWAY, Role.HOST, Role.WORKER, 77))
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        door = context.socket(zmq.DEALER)
        door.setsockopt(zmq.LINGER, LINGER_MS)
        door.setsockopt(zmq.SNDTIMEO, LINGER_MS)
        door.connect(f"ipc://{runtime_dir / name}")
        with contextlib.suppress(zmq.Again):
            if rng.random() < 0.8:
                door.send_multipart(encode(Hello(role, f"enemy/{rng.randrange(9)}")))
            for _ in range(FRAMES):
                door.send_multipart(rng.choice((_noise, _misshapen, _not_its_own))(rng))
    finally:
        context.destroy(linger=LINGER_MS)


def _raw(path: Path, rng: Random) -> None:
    """Bytes that are no ZeroMQ, or the beginning of some, and then silence."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as door:
        door.settimeout(LINGER_MS / 1000)
        door.connect(str(path))
        greeting = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(48)
        door.sendall(rng.choice((rng.randbytes(5000), greeting, greeting[:20], b"GET / HTTP/1.1")))


def _noise(rng: Random) -> list[bytes]:
    return [rng.randbytes(rng.choice((0, 1, 30, 3000))) for _ in range(rng.choice((1, 2, 2, 5)))]


def _misshapen(rng: Random) -> list[bytes]:
    """A tag with fields of any type."""
    makers: tuple[Callable[[], object], ...] = (
        lambda: rng.randrange(-(2**63), 2**63),
        lambda: rng.choice((float("nan"), float("inf"), -1.0)),
        lambda: "x" * rng.choice((0, 5, 9000)),
        lambda: rng.randbytes(9),
        lambda: [["a", "b"]] * rng.choice((1, 2000)),
        lambda: None,
        lambda: {"a": 1},
    )
    fields = [rng.choice(makers)() for _ in range(rng.randrange(8))]
    header = msgpack.packb([rng.randrange(-1, _TAGS), *fields])
    assert isinstance(header, bytes)
    return [header[: rng.choice((len(header), len(header), 3))], rng.randbytes(20)]


def _not_its_own(rng: Random) -> Sequence[bytes]:
    """A sound message that this peer has no right to."""
    some_id = rng.randbytes(16).hex()
    foreign: tuple[Message, ...] = (
        Cancel(some_id, "no"),
        Credit(some_id, 1 << 40),
        Stdin(some_id),
        Signal(some_id, 9),
        StdinCredit(some_id, -5),
        Output(some_id, 1),
        Ready("python", 0.0),
        Lease(some_id, "python", True, 1, False),
        StartWorker(some_id, "python"),
        WorkerExited(some_id, "no"),
        Welcome("enemy"),
        Finished(some_id, Verdict.OK, 0, 0, "", 0.0, 0.0, 0.0, 0, 0.0, False, False),
    )
    return encode(rng.choice(foreign), b"forged")
