"""A gateway whose coordinator is an enemy, and callers who get their answers or their errors."""

from __future__ import annotations

import contextlib
import threading
import time
from random import Random

import grpc
import zmq
from tests.e2e.test_metrics import free_base_port
from tests.fuzz.frames import Frames
from tests.fuzz.watch import PATIENCE_S, Fuzzed
from tests.integration.gateway_peer import finished

from dcodex_proto.v1 import executor_pb2 as pb
from dcodex_proto.v1.executor_pb2_grpc import ExecutorStub
from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.messages import (
    Goodbye,
    Heartbeat,
    Hello,
    LanguageList,
    Message,
    Submit,
    Welcome,
)
from dcodex_shared.program import pack_records
from dcodex_shared.wire import decode, encode

LOOK_S = 2.0
#: Lies told in a turn.
BURST = 200
CALLERS = 4
#: A call that an enemy never answers ends by its deadline.
CALL_S = 2.0
LANGUAGES = (("c", "12"), ("python", "3"))


class Coordinator:
    """A coordinator by hand: greets, answers, and can be told to lie."""

    def __init__(self, endpoint: str) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._router.setsockopt(zmq.LINGER, 0)
        self._router.setsockopt(zmq.SNDHWM, 20_000)
        self._router.bind(endpoint)
        self._gateway = b""
        self._boots = 0
        #: Executions that were submitted last.
        self.ids: list[str] = []

    def turn(self, honest: bool, wait_ms: int = 0) -> int:
        """Take in what has come, answering what is asked where honest; how many messages."""
        count = 0
        while self._router.poll(wait_ms if not count else 0) and count < BURST:
            self._gateway, *given = self._router.recv_multipart()
            count += 1
            message, _ = decode(given)
            match message:
                case Hello():
                    self._boots += 1
                    self.say(Welcome(f"boot-{self._boots}"))
                    self.say(LanguageList(LANGUAGES))
                case Submit(execution_id=execution_id):
                    self.ids.append(execution_id)
                    del self.ids[:-50]
                    if honest:
                        self.say(finished(execution_id), pack_records([(1, b"hello")]))
                case Heartbeat():
                    self.say(Heartbeat())
                case _:
                    pass
        return count

    def say(self, message: Message, payload: bytes = b"") -> int:
        """Send to the gateway that spoke last."""
        return self.send(encode(message, payload))

    def send(self, given: list[bytes]) -> int:
        """Frames as they are; how many went."""
        if not self._gateway:
            return 0
        try:
            self._router.send_multipart([self._gateway, *given], zmq.NOBLOCK)
        except zmq.Again:
            return 0
        return len(given)

    def close(self) -> None:
        """Go without a word."""
        self._context.destroy(linger=0)


def fuzz(seed: int, seconds: float) -> int:
    """Lie to a gateway for so long; returns how many frames were sent."""
    rng = Random(seed)
    port, metrics = free_base_port(), free_base_port()
    sent = 0
    with Fuzzed("gateway", f"--port={port}", f"--metrics_port={metrics}") as fuzzed:
        coordinator = Coordinator(f"ipc://{fuzzed.runtime_dir}/gateways.sock")
        frames = Frames(rng)
        frames.ids = coordinator.ids
        stop = threading.Event()
        callers = [
            threading.Thread(target=_call, args=(port, stop, rng.randrange(1 << 30)))
            for _ in range(CALLERS)
        ]
        try:
            _settle(coordinator, port)
            for caller in callers:
                caller.start()
            end = time.monotonic() + seconds
            look = time.monotonic() + min(LOOK_S, seconds / 3)
            marked = False
            while time.monotonic() < end:
                coordinator.turn(honest=rng.random() < 0.5)
                for _ in range(BURST):
                    sent += coordinator.send(_lie(frames, rng))
                if time.monotonic() >= look:
                    assert fuzzed.ready(metrics)
                    if not marked:
                        fuzzed.mark()
                        marked = True
                    fuzzed.check()
                    look = time.monotonic() + LOOK_S
            stop.set()
            # Whatever was said before, an honest coordinator's word counts from here on.
            coordinator.close()
            coordinator = Coordinator(f"ipc://{fuzzed.runtime_dir}/gateways.sock")
            _settle(coordinator, port)
            fuzzed.check()
        finally:
            stop.set()
            for caller in callers:
                if caller.ident is not None:
                    caller.join(PATIENCE_S)
            coordinator.close()
    return sent


def _lie(frames: Frames, rng: Random) -> list[bytes]:
    while True:
        given = frames.any()
        with contextlib.suppress(RemoteProtocolError):
            if isinstance(decode(given)[0], Goodbye | Welcome) and rng.random() < 0.9995:
                # Each costs the gateway a pause, in which it hears nothing.
                continue
        return given


def _settle(coordinator: Coordinator, port: int) -> None:
    """The gateway has met this coordinator, and passes a program on and its answer back."""
    due = time.monotonic() + PATIENCE_S
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = None
        while time.monotonic() < due:
            if call is None:
                call = ExecutorStub(channel).Run.future(
                    pb.Start(language="python", source=b"x"), timeout=CALL_S, wait_for_ready=True
                )
            coordinator.turn(honest=True, wait_ms=20)
            if call.done():
                if call.code() is grpc.StatusCode.OK and call.result().stdout == b"hello":
                    return
                call = None
    raise AssertionError("the gateway does not come to terms with its coordinator")


def _call(port: int, stop: threading.Event, seed: int) -> None:
    """Runs and streams, one after the other; they end, however that is."""
    rng = Random(seed)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        native = ExecutorStub(channel)
        while not stop.is_set():
            start = pb.Start(language="python", source=b"x")
            with contextlib.suppress(grpc.RpcError):
                if rng.random() < 0.5:
                    native.Run(start, timeout=CALL_S)
                else:
                    words = iter([pb.ExecuteRequest(start=start), pb.ExecuteRequest(stdin=b"y")])
                    for _ in native.Execute(words, timeout=CALL_S):
                        pass
