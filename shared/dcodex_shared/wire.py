"""Messages to ZeroMQ frames and back.

Two frames: a msgpack array [tag, field, field, ...] and the payload (empty where there is
none). Whatever comes in is taken for an enemy's: sizes, tag, count and type of every field
are checked, and anything wrong is a RemoteProtocolError, never another exception. Fields beyond
those that are known are a newer peer's, and passed over.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from operator import attrgetter, call
from typing import Any

import msgpack

from dcodex_shared import messages
from dcodex_shared.errors import LocalProtocolError, RemoteProtocolError
from dcodex_shared.limits import MAX_REQUEST_BYTES, MIB

#: A header holds ids, numbers and short texts; the longest are the language list and a message.
MAX_HEADER_BYTES = 64 * 1024
#: A program with its stdin, or one Finished with all of a unary run's unsent output.
MAX_PAYLOAD_BYTES = MAX_REQUEST_BYTES + MIB
#: Texts for people inside a header.
MAX_TEXT_CHARS = 8192
#: Entries of a list inside a header.
MAX_ITEMS = 1024

Check = Callable[[Any], bool]


def _is_int(value: Any) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


def _is_float(value: Any) -> bool:
    return (type(value) is float or type(value) is int) and math.isfinite(value)


def _is_str(value: Any) -> bool:
    return type(value) is str and len(value) <= MAX_TEXT_CHARS


def _is_bytes(value: Any) -> bool:
    return type(value) is bytes


def _is_bool(value: Any) -> bool:
    return type(value) is bool


_SCALARS: dict[Any, Check] = {
    int: _is_int,
    float: _is_float,
    str: _is_str,
    bytes: _is_bytes,
    bool: _is_bool,
}


def _check_for(annotation: Any) -> Check:
    """The test that a decoded value must pass to stand in a field of this type."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if typing.get_origin(annotation) is tuple:
        arguments = typing.get_args(annotation)
        if arguments[-1] is Ellipsis:
            item = _check_for(arguments[0])
            return lambda value: (
                type(value) is tuple and len(value) <= MAX_ITEMS and all(map(item, value))
            )
        checks = tuple(map(_check_for, arguments))
        return lambda value: (
            type(value) is tuple
            and len(value) == len(checks)
            and all(check(part) for check, part in zip(checks, value, strict=True))
        )
    raise LocalProtocolError(f"no wire form for a field of type {annotation!r}")


class _Form:
    """How one message class stands on the wire."""

    __slots__ = ("checks", "cls", "least", "read", "tag")

    def __init__(self, tag: int, cls: type[Any]) -> None:
        hints = typing.get_type_hints(cls)
        members = fields(cls)
        self.tag = tag
        self.cls = cls
        self.checks = tuple(_check_for(hints[member.name]) for member in members)
        #: Fields with a default may be missing at the end.
        self.least = sum(member.default is MISSING for member in members)
        names = [member.name for member in members]
        self.read: Callable[[Any], tuple[Any, ...]]
        if not names:
            self.read = lambda _: ()
        elif len(names) == 1:
            get_one = attrgetter(names[0])
            self.read = lambda message: (get_one(message),)
        else:
            self.read = attrgetter(*names)


def _forms() -> tuple[_Form, ...]:
    union = messages.Message
    assert isinstance(union, types.UnionType)
    # The tag is the class's place in the union: append new messages at its end.
    return tuple(_Form(tag, cls) for tag, cls in enumerate(typing.get_args(union)))


_BY_TAG = _forms()
_BY_CLASS = {form.cls: form for form in _BY_TAG}
_pack = msgpack.Packer(autoreset=True).pack


def encode(message: messages.Message, payload: bytes = b"") -> list[bytes]:
    """The two frames of a message."""
    form = _BY_CLASS[type(message)]
    header: bytes = _pack((form.tag, *form.read(message)))
    return [header, payload]


def decode(frames: Sequence[bytes]) -> tuple[messages.Message, bytes]:
    """The message and payload of two frames; raises RemoteProtocolError for anything else."""
    if len(frames) != 2:
        raise RemoteProtocolError(f"expected 2 frames, got {len(frames)}")
    header, payload = frames
    return decode_header(header, len(payload)), payload


def decode_header(header: bytes, payload_bytes: int) -> messages.Message:
    """The message of a first frame, where the second has this size; else RemoteProtocolError."""
    if len(header) > MAX_HEADER_BYTES:
        raise RemoteProtocolError(f"header of {len(header)} bytes")
    if payload_bytes > MAX_PAYLOAD_BYTES:
        raise RemoteProtocolError(f"payload of {payload_bytes} bytes")
    try:
        values = msgpack.unpackb(header, use_list=False, strict_map_key=True)
    except (ValueError, RecursionError, msgpack.UnpackException) as error:
        raise RemoteProtocolError(f"header is not msgpack: {type(error).__name__}") from None
    if type(values) is not tuple or not values or type(values[0]) is not int:
        raise RemoteProtocolError("header is not a tagged array")
    tag, *given = values
    if not 0 <= tag < len(_BY_TAG):
        raise RemoteProtocolError(f"unknown tag {tag}")
    form = _BY_TAG[tag]
    if len(given) < form.least:
        raise RemoteProtocolError(f"{form.cls.__name__} with {len(given)} fields")
    if len(given) > len(form.checks):
        del given[len(form.checks) :]
    if not all(map(call, form.checks, given)):
        raise RemoteProtocolError(f"{form.cls.__name__} with a field of the wrong type")
    message: messages.Message = form.cls(*given)
    return message
