"""The gRPC port against callers of all kinds: bytes, HTTP/2 frames, and calls of odd messages."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import grpc
from tests.e2e.test_metrics import free_base_port
from tests.fuzz.gateway import Coordinator
from tests.fuzz.watch import PATIENCE_S, Fuzzed

from dcodex_proto.classic import code_executor_pb2 as classic
from dcodex_proto.v1 import executor_pb2 as pb

LOOK_S = 2.0
ENEMIES = 8
CALL_S = 2.0
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#: Frames of one connection, if it lasts.
FRAMES_MOST = 400
METHODS = (
    "/dcodex.v1.Executor/Run",
    "/dcodex.v1.Executor/Execute",
    "/dcodex.v1.Executor/Signal",
    "/dcodex.v1.Executor/Languages",
    "/dcodex.v1.Executor/Farm",
    "/dcodex.CodeExecutor/Execute",
    "/dcodex.CodeExecutor/GetSystemMetrics",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/dcodex.v1.Executor/Nothing",
    "/",
    "",
)
_FILE = pb.File(path="main.py", content=b"print(1)", mode=0o644)
#: Sound messages, to be bent.
MESSAGES = (
    pb.Start(language="python", source=b"print(1)").SerializeToString(),
    pb.Start(
        language="cpp",
        files=[_FILE, pb.File(path="a/b.py")],
        entry_point="main.py",
        args=["x"] * 5,
        environment={"A": "b"},
        limits=pb.Limits(cpu_s=1, wall_s=2, memory_bytes=1 << 20, processes=3, output_bytes=5),
        stdin=b"in",
        labels={"a": "b"},
        execution_id="mine",
    ).SerializeToString(),
    pb.ExecuteRequest(start=pb.Start(language="python", source=b"x")).SerializeToString(),
    pb.ExecuteRequest(stdin=b"x" * 100).SerializeToString(),
    pb.ExecuteRequest(signal=9).SerializeToString(),
    pb.SignalRequest(execution_id="mine", signal=9).SerializeToString(),
    classic.CodeRequest(language="python", code="print(1)", stdin_data="x").SerializeToString(),
    b"",
)


class Count:
    """What all threads sent together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.frames = 0

    def add(self, count: int) -> None:
        """So many more."""
        with self._lock:
            self.frames += count


def fuzz(seed: int, seconds: float) -> int:
    """Be a bad caller for so long; returns how many frames and messages were sent."""
    port, metrics = free_base_port(), free_base_port()
    count = Count()
    flags = (f"--port={port}", f"--metrics_port={metrics}")
    with Fuzzed("gateway", *flags) as fuzzed:
        coordinator = Coordinator(f"ipc://{fuzzed.runtime_dir}/gateways.sock")
        stop = threading.Event()
        served = threading.Thread(target=_serve, args=(coordinator, stop))
        served.start()
        try:
            _is_answered(port)
            with ThreadPoolExecutor(ENEMIES) as pool:
                end = time.monotonic() + seconds
                work = [
                    pool.submit(_enemy, port, end, Random(seed * 1000 + number), count)
                    for number in range(ENEMIES)
                ]
                marked = False
                while time.monotonic() < end:
                    # A wait that ends early when one of them fails.
                    time_left = max(0.0, end - time.monotonic())
                    with contextlib.suppress(TimeoutError):
                        work[0].result(min(LOOK_S, seconds / 3, time_left))
                    _is_answered(port)
                    assert fuzzed.ready(metrics)
                    if not marked:
                        fuzzed.mark()
                        marked = True
                    fuzzed.check()
                for one in work:
                    one.result(PATIENCE_S)
            _is_answered(port)
            fuzzed.check()
        finally:
            stop.set()
            served.join(PATIENCE_S)
            coordinator.close()
    return count.frames


def _serve(coordinator: Coordinator, stop: threading.Event) -> None:
    while not stop.is_set():
        coordinator.turn(honest=True, wait_ms=50)


def _is_answered(port: int) -> None:
    """An honest caller is served while all this goes on."""
    due = time.monotonic() + PATIENCE_S
    with grpc.insecure_channel(
        f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)]
    ) as channel:
        run = channel.unary_unary(
            METHODS[0],
            request_serializer=pb.Start.SerializeToString,
            response_deserializer=pb.RunReply.FromString,
        )
        while True:
            try:
                reply = run(
                    pb.Start(language="python", source=b"x"),
                    timeout=PATIENCE_S,
                    wait_for_ready=True,
                )
            except grpc.RpcError as error:
                # Before the gateway has met its coordinator.
                told = error.code()
                if told is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > due:
                    raise
                continue
            assert reply.stdout == b"hello"
            return


def _enemy(port: int, end: float, rng: Random, count: Count) -> None:
    while time.monotonic() < end:
        attack: Callable[[int, Random], int] = rng.choice((_bytes, _http2, _http2, _calls))
        with contextlib.suppress(OSError):
            count.add(attack(port, rng))


def _bytes(port: int, rng: Random) -> int:
    """Bytes of no protocol, or the beginning of one."""
    with socket.create_connection(("127.0.0.1", port), CALL_S) as door:
        door.sendall(
            rng.choice(
                (
                    rng.randbytes(rng.choice((1, 100, 20_000))),
                    PREFACE[: rng.randrange(len(PREFACE))],
                    PREFACE + rng.randbytes(500),
                    b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
                    b"\x16\x03\x01" + rng.randbytes(300),
                )
            )
        )
    return 1


def _http2(port: int, rng: Random) -> int:
    """A connection of well-formed frames that say odd things."""
    sent = 0
    with socket.create_connection(("127.0.0.1", port), CALL_S) as door:
        door.settimeout(CALL_S)
        door.sendall(PREFACE + _frame(4, 0, 0, b""))
        for frame in _odd_frames(rng):
            try:
                door.sendall(frame)
            except OSError:
                break
            sent += 1
            with contextlib.suppress(BlockingIOError):
                # What it answers is taken, or its writes would block; for some it is not.
                if sent % 16 == 0 and not door.recv(65536, socket.MSG_DONTWAIT):
                    break
    return sent


def _odd_frames(rng: Random) -> Iterator[bytes]:
    for _ in range(rng.randrange(1, FRAMES_MOST)):
        stream = rng.choice((0, 1, 1, 3, 5, 2, rng.randrange(1 << 31)))
        match rng.randrange(9):
            case 0:
                yield _frame(rng.randrange(14), rng.randrange(256), stream, rng.randbytes(20))
            case 1 | 2 | 3:
                # A call's headers, whole or in parts, and then its message.
                block = _headers(rng)
                cut = rng.choice((len(block), rng.randrange(len(block))))
                yield _frame(1, 4 if cut == len(block) else 0, stream, block[:cut])
                for _ in range(rng.choice((0, 1, 30))):
                    yield _frame(9, rng.choice((0, 4)), stream, block[cut:])
            case 4 | 5:
                message = _bend(rng.choice(MESSAGES), rng)
                length = rng.choice((len(message), len(message), 0, 1 << 31, (1 << 32) - 1))
                prefix = struct.pack(">BI", rng.choice((0, 0, 0, 1, 7)), length)
                yield _frame(0, rng.choice((0, 1)), stream, prefix + message)
            case 6:
                yield _frame(8, 0, stream, struct.pack(">I", rng.choice((0, 1, (1 << 31) - 1))))
            case 7:
                settings = struct.pack(">HI", rng.randrange(9), rng.randrange(1 << 32))
                yield _frame(4, rng.choice((0, 0, 1)), 0, settings * rng.choice((1, 50)))
            case _:
                yield _frame(rng.choice((3, 6, 7)), rng.randrange(2), stream, rng.randbytes(8))


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _headers(rng: Random) -> bytes:
    """A header block of literals that are not indexed."""
    fields = [
        (b":method", rng.choice((b"POST", b"POST", b"POST", b"GET", b""))),
        (b":scheme", b"http"),
        (b":path", rng.choice(METHODS).encode()),
        (b":authority", b"x"),
        (b"content-type", rng.choice((b"application/grpc", b"application/grpc", b"text/html"))),
        (b"te", b"trailers"),
    ]
    extras = (
        (b"grpc-timeout", rng.choice((b"1S", b"0n", b"99999999H", b"-1S", b"x"))),
        (b"grpc-encoding", rng.choice((b"gzip", b"identity", b"x"))),
        (b"authorization", rng.choice((b"Bearer x", b"Bearer " + b"y" * 4000, b"\xff"))),
        (b"dcodex-trace", b"1"),
        (b"traceparent", rng.randbytes(60).hex().encode()),
        (b"x-bin", rng.randbytes(10)),
        (rng.randbytes(5), rng.randbytes(100)),
    )
    fields += rng.sample(extras, rng.randrange(4))
    if rng.random() < 0.2:
        rng.shuffle(fields)
    if rng.random() < 0.1:
        fields *= 40
    return b"".join(b"\x00" + _string(name) + _string(value) for name, value in fields)


def _string(text: bytes) -> bytes:
    """HPACK's: a length of seven bits and its continuation, then the bytes."""
    length = len(text)
    if length < 127:
        return bytes((length,)) + text
    length, encoded = length - 127, bytearray((127,))
    while length >= 128:
        encoded.append(length & 127 | 128)
        length >>= 7
    encoded.append(length)
    return bytes(encoded) + text


def _calls(port: int, rng: Random) -> int:
    """Calls by gRPC's own client, of messages that are odd."""
    sent = 0
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        for _ in range(40):
            method = rng.choice(METHODS[:11])
            words = [_bend(rng.choice(MESSAGES), rng) for _ in range(rng.choice((0, 1, 1, 2, 9)))]
            sent += len(words)
            # Any: the stubs know of calls with serializers alone.
            invoke: Any = channel.stream_stream(method)
            call = invoke(
                iter(words), timeout=rng.choice((0.001, 0.05, 0.3)), metadata=_metadata(rng)
            )
            if rng.random() < 0.2:
                call.cancel()
            with contextlib.suppress(grpc.RpcError):
                for _ in call:
                    pass
    return sent


def _metadata(rng: Random) -> list[tuple[str, str | bytes]]:
    odd: tuple[tuple[str, str | bytes], ...] = (
        ("authorization", "Bearer " + "x" * rng.randrange(3000)),
        ("authorization", "x"),
        ("traceparent", f"00-{rng.getrandbits(128):032x}-{rng.getrandbits(64):016x}-01"),
        ("dcodex-trace", rng.choice(("1", "0", "x"))),
        ("x-bin", rng.randbytes(30)),
    )
    return rng.sample(odd, rng.randrange(3))


def _bend(message: bytes, rng: Random) -> bytes:
    bent = bytearray(message)
    match rng.randrange(5):
        case 0:
            return rng.randbytes(rng.choice((0, 1, 50, 3000)))
        case 1:
            for _ in range(rng.randint(1, 5)):
                if bent:
                    bent[rng.randrange(len(bent))] = rng.randrange(256)
        case 2:
            del bent[rng.randrange(len(bent) + 1) :]
        case 3:
            bent *= rng.choice((2, 40))
        case _:
            pass
    return bytes(bent)
