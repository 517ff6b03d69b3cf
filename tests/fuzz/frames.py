"""Frames of an enemy: sound messages, bent ones, well-packed nonsense, and noise; from a seed."""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import msgpack

from dcodex_shared import messages
from dcodex_shared.messages import Message
from dcodex_shared.wire import encode

CLASSES: tuple[type[Any], ...] = typing.get_args(messages.Message)
_HINTS = {cls: typing.get_type_hints(cls) for cls in CLASSES}
_EDGES = (0, 1, -1, 2, 31, 64, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 63) - 1, -(1 << 63))
_WORDS = ("", "python", "c", "cpp", "cobol", "host", "host/1", "\x00", "é" * 50, "x" * 300)
_SIZES = (0, 0, 0, 1, 9, 200, 4096, 70_000)

#: Messages that are sent more than once, and how often.
POOL = 3000
REUSE = 10


class Frames:
    """A source of hostile messages; the same seed makes the same ones."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        #: Ids that are in use somewhere: what is said of them is heard.
        self.ids: list[str] = []
        #: Those made last, at most POOL: making them costs more than sending them.
        self._pool: list[list[bytes]] = []

    def any(self) -> list[bytes]:
        """One message of any kind: one in REUSE is a new one."""
        rng = self._rng
        if len(self._pool) == POOL and rng.random() * REUSE > 1:
            return self._pool[int(rng.random() * POOL)]
        made = self.fresh()
        if len(self._pool) < POOL:
            self._pool.append(made)
        else:
            self._pool[int(rng.random() * POOL)] = made
        return made

    def fresh(self) -> list[bytes]:
        """A new message of any kind."""
        makers = (self.sound, self.sound, self.bent, self.bent, self.misshapen, self.noise)
        return self._rng.choice(makers)()

    def sound(self) -> list[bytes]:
        """A message that decodes, with values that may make no sense."""
        return encode(self.message(), self.payload())

    def bent(self) -> list[bytes]:
        """A sound one with bytes flipped, cut off, doubled or put in."""
        rng = self._rng
        header = bytearray(encode(self.message())[0])
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(header) + 1)
            match rng.randrange(4):
                case 0 if header and at < len(header):
                    header[at] = rng.randrange(256)
                case 1:
                    del header[at:]
                case 2:
                    header[at:at] = rng.randbytes(rng.randint(1, 5))
                case _:
                    header += header[:at]
        return [bytes(header[:4096]), self.payload()]

    def misshapen(self) -> list[bytes]:
        """A tag with fields of any type."""
        rng = self._rng
        fields = [self._value(3) for _ in range(rng.randrange(16))]
        packed = msgpack.packb([rng.randint(-2, len(CLASSES) + 2), *fields])
        assert isinstance(packed, bytes)
        return [packed, self.payload()]

    def noise(self) -> list[bytes]:
        """Frames of any number and content."""
        rng = self._rng
        return [rng.randbytes(rng.choice(_SIZES[:7])) for _ in range(rng.choice((1, 2, 2, 3, 9)))]

    def message(self) -> Message:
        """A message object of any class."""
        cls = self._rng.choice(CLASSES)
        made: Message = cls(**{name: self._field(hint) for name, hint in _HINTS[cls].items()})
        return made

    def payload(self) -> bytes:
        """What comes with a message."""
        return self._rng.randbytes(self._rng.choice(_SIZES))

    def _field(self, hint: Any) -> Any:
        rng = self._rng
        if hint is int:
            return rng.choice(_EDGES) if rng.random() < 0.5 else rng.randrange(16)
        if hint is float:
            return rng.choice((0.0, -1.0, 1e-9, 0.5, 60.0, 1e300))
        if hint is bool:
            return rng.random() < 0.5
        if hint is bytes:
            return rng.randbytes(rng.choice((0, 8, 32)))
        if hint is str:
            return rng.choice(self.ids) if self.ids and rng.random() < 0.6 else rng.choice(_WORDS)
        inner = typing.get_args(typing.get_args(hint)[0])
        return tuple(
            tuple(self._field(part) for part in inner) for _ in range(rng.choice((0, 1, 3)))
        )

    def _value(self, depth: int) -> object:
        rng = self._rng
        leaves: Sequence[Callable[[], object]] = (
            lambda: None,
            lambda: rng.random() < 0.5,
            lambda: rng.choice(_EDGES),
            lambda: rng.choice((float("nan"), float("inf"), -0.0, 1e308)),
            lambda: self._field(str),
            lambda: rng.randbytes(rng.randrange(20)),
        )
        if depth and rng.random() < 0.25:
            if rng.random() < 0.5:
                if rng.random() < 0.02:
                    # More than a list may hold.
                    return [self._field(str)] * 1100
                return [self._value(depth - 1) for _ in range(rng.randrange(4))]
            return {rng.choice(_WORDS): self._value(depth - 1)}
        return rng.choice(leaves)()
