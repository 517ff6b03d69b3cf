"""The coordinator's sockets against enemies that know the protocol: gateways, hosts, workers."""

from __future__ import annotations

import contextlib
import socket
import time
import uuid
from pathlib import Path
from random import Random

import zmq
from tests.fuzz.frames import Frames
from tests.fuzz.watch import PATIENCE_S, Fuzzed

from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.messages import (
    Finished,
    Hello,
    HostState,
    Lease,
    Message,
    Output,
    Ready,
    Role,
    StartWorker,
    Submit,
    Verdict,
    Welcome,
)
from dcodex_shared.wire import decode, encode

#: Between looks at the process.
LOOK_S = 2.0
#: Messages of one enemy in a turn.
BURST = 200
ENEMIES = 12
LANGUAGES = (("c", "12"), ("python", "3"))


class Enemy:
    """A peer that says Hello, does some of what it is asked, and otherwise lies."""

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        directory: Path,
        role: Role,
        name: str,
        frames: Frames,
        rng: Random,
    ) -> None:
        self._frames = frames
        self._rng = rng
        self.role = role
        self.socket = context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDHWM, 2 * BURST)
        door = "gateways.sock" if role is Role.GATEWAY else "workers.sock"
        self.socket.connect(f"ipc://{directory / door}")
        self.say(Hello(role, name))
        if role is Role.HOST:
            self.say(HostState(LANGUAGES, 64, 1 << 40, 0.0, 0.0, 0.0, False))
        elif role is Role.WORKER:
            self.say(Ready("python", 0.001))

    def say(self, message: Message, payload: bytes = b"") -> int:
        """Send, if there is room; returns the number of frames that went."""
        return self.send(encode(message, payload))

    def send(self, given: list[bytes]) -> int:
        """Frames as they are."""
        try:
            self.socket.send_multipart(given, zmq.NOBLOCK)
        except zmq.Again:
            return 0
        return len(given)

    def turn(self) -> tuple[int, list[StartWorker]]:
        """Answer some, lie much; returns frames sent, and the workers that it is asked for."""
        asked, sent = [], 0
        for _ in range(BURST):
            try:
                message, _ = decode(self.socket.recv_multipart(zmq.NOBLOCK))
            except zmq.Again:
                break
            except RemoteProtocolError as error:
                raise AssertionError(f"the coordinator sent nonsense: {error}") from None
            if isinstance(message, StartWorker):
                asked.append(message)
            elif isinstance(message, Lease):
                self._note(message.execution_id)
                if self._rng.random() < 0.8:
                    sent += self._serve(message)
        for _ in range(BURST):
            if self.role is Role.GATEWAY and self._rng.random() < 0.2:
                sent += self._submit()
            else:
                sent += self.send(self._frames.any())
        return sent, asked

    def _submit(self) -> int:
        rng = self._rng
        execution_id = uuid.UUID(int=rng.getrandbits(128)).hex
        self._note(execution_id)
        key = rng.choice((b"", b"k" * 32))
        submit = Submit(
            execution_id, rng.choice(("t1", "t2")), "python", rng.randrange(2), rng.choice((0, 1)),
            rng.random() < 0.5, 65536, 10.0, key, rng.choice(("", "mine")), False,
        )  # fmt: skip
        return self.say(submit, self._frames.payload())

    def _serve(self, lease: Lease) -> int:
        sent = self.say(Output(lease.execution_id, self._rng.randrange(3)), b"x" * 100)
        end = Finished(
            lease.execution_id, Verdict.OK, 0, 0, "", 0.0, 0.0, 0.0, 0, 0.0, False, False
        )
        return sent + self.say(end) + self.say(Ready(lease.language, 0.001))

    def _note(self, execution_id: str) -> None:
        self._frames.ids.append(execution_id)
        del self._frames.ids[:-50]


def fuzz(seed: int, seconds: float) -> int:
    """Be hostile for so long; returns how many frames were sent."""
    rng = Random(seed)
    frames = Frames(rng)
    sent = 0
    with Fuzzed("coordinator", "--max_queued=500", "--cache_entries=50") as fuzzed:
        _await(fuzzed.runtime_dir / "workers.sock")
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        try:
            enemies: list[Enemy] = []
            end = time.monotonic() + seconds
            look = time.monotonic() + min(LOOK_S, seconds / 3)
            marked = False
            while time.monotonic() < end:
                while len(enemies) < ENEMIES:
                    role = rng.choice((Role.GATEWAY, Role.GATEWAY, Role.HOST))
                    name = f"enemy-{rng.randrange(99)}"
                    enemies.append(Enemy(context, fuzzed.runtime_dir, role, name, frames, rng))
                for enemy in list(enemies):
                    count, asked = enemy.turn()
                    sent += count
                    for order in asked[:2]:
                        if len(enemies) < 2 * ENEMIES:
                            enemies.append(
                                Enemy(
                                    context, fuzzed.runtime_dir, Role.WORKER, order.worker_id,
                                    frames, rng,
                                )
                            )  # fmt: skip
                # Any of them goes without a word.
                enemies.pop(rng.randrange(len(enemies))).socket.close()
                if rng.random() < 0.1:
                    _raw(fuzzed.runtime_dir / rng.choice(("gateways.sock", "workers.sock")), rng)
                if time.monotonic() >= look:
                    _is_welcomed(context, fuzzed)
                    if not marked:
                        fuzzed.mark()
                        marked = True
                    fuzzed.check()
                    look = time.monotonic() + LOOK_S
            _is_welcomed(context, fuzzed)
            fuzzed.check()
        finally:
            context.destroy(linger=0)
    return sent


def _await(path: Path) -> None:
    due = time.monotonic() + PATIENCE_S
    while time.monotonic() < due:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(path))
            return
    raise AssertionError(f"nobody serves {path}")


def _is_welcomed(context: zmq.Context[zmq.Socket[bytes]], fuzzed: Fuzzed) -> None:
    """An honest gateway is answered while all this goes on."""
    honest = context.socket(zmq.DEALER)
    try:
        honest.setsockopt(zmq.LINGER, 0)
        honest.connect(f"ipc://{fuzzed.runtime_dir}/gateways.sock")
        honest.send_multipart(encode(Hello(Role.GATEWAY, "honest")))
        assert honest.poll(int(PATIENCE_S * 1000)), f"no answer: {fuzzed.words()}"
        assert isinstance(decode(honest.recv_multipart())[0], Welcome)
    finally:
        honest.close()


def _raw(path: Path, rng: Random) -> None:
    """Bytes that are no ZeroMQ, or the beginning of some, and then silence."""
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(48)
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as door:
        door.settimeout(1.0)
        door.connect(str(path))
        door.sendall(
            rng.choice(
                (rng.randbytes(5000), greeting, greeting[:20], greeting + rng.randbytes(500))
            )
        )
