"""The two payloads: a program on its way in, and output records on their way out.

The coordinator never looks inside; gateway and worker do. Unpacking checks as wire.py does.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

import msgpack

from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.limits import Limits
from dcodex_shared.messages import Payload, Stream


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file below the work directory; path as validated by the gateway."""

    path: str
    mode: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Program:
    """Everything that can change the outcome of a run, but the runtime itself."""

    #: Canonical name.
    language: str
    files: tuple[SourceFile, ...]
    #: The path of one of `files`.
    entry_point: str
    args: tuple[str, ...]
    #: Options for the compiler, before the source files.
    compile_args: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    stdin: bytes
    #: False: Stdin messages may follow; True: EOF after `stdin`.
    stdin_complete: bool
    limits: Limits


#: An array's tag and length; a pair's tag, its stream, its bytes' tag and length.
_RECORDS = struct.Struct(">BI")
_RECORD = struct.Struct(">BBBI")

#: Different limits that are remembered: requests mostly come with the same ones.
_LIMITS_KEPT = 64

#: dataclasses.astuple() copies deeply, which costs more than all the rest of pack_program().
_limit_values = attrgetter(*(field.name for field in fields(Limits)))


def pack_program(program: Program) -> bytes:
    """The payload of Submit and Lease. Equal programs give equal bytes (the cache key's base)."""
    packed: bytes = msgpack.packb(
        (
            program.language,
            [(file.path, file.mode, file.content) for file in program.files],
            program.entry_point,
            program.args,
            program.compile_args,
            program.environment,
            program.stdin,
            program.stdin_complete,
            _limit_values(program.limits),
        )
    )
    return packed


def unpack_program(payload: Payload) -> Program:
    """Raises RemoteProtocolError where the payload is not a program."""
    try:
        language, files, entry, args, compile_args, environment, stdin, complete, limits = (
            msgpack.unpackb(payload, use_list=False)
        )
        program = Program(
            language=_str(language),
            files=tuple(SourceFile(_str(p), _int(m), _bytes(c)) for p, m, c in files),
            entry_point=_str(entry),
            args=tuple(map(_str, args)),
            compile_args=tuple(map(_str, compile_args)),
            environment=tuple((_str(name), _str(value)) for name, value in environment),
            stdin=_bytes(stdin),
            stdin_complete=bool(complete),
            limits=_limits(*limits),
        )
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise RemoteProtocolError(f"payload is not a program: {type(error).__name__}") from None
    return program


# By type as well: 1 and 1.0 are equal, but not written to the kernel's files as the same text.
@functools.lru_cache(_LIMITS_KEPT, typed=True)
def _limits(*values: Any) -> Limits:
    for value in values:
        if not value > 0:
            raise ValueError
    return Limits(*values)


def pack_records(records: Iterable[tuple[int, bytes]]) -> bytes:
    """Output pieces in order, each with its Stream: the payload of Finished."""
    # msgpack of [[stream, data], ...] with the widest lengths. Joined by hand: the packer's
    # buffer grows by copying, which for a megabyte of output costs more than all the rest.
    parts = [b""]
    for stream, data in records:
        parts += (_RECORD.pack(0x92, stream, 0xC6, len(data)), data)
    parts[0] = _RECORDS.pack(0xDD, len(parts) // 2)
    return b"".join(parts)


def unpack_records(payload: Payload) -> list[tuple[Stream, bytes]]:
    """The inverse of pack_records; an empty payload is no records."""
    if not payload:
        return []
    try:
        return [
            (Stream(stream), _bytes(data))
            for stream, data in msgpack.unpackb(payload, use_list=False)
        ]
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise RemoteProtocolError(f"payload is not records: {type(error).__name__}") from None


def _str(value: object) -> str:
    if type(value) is not str:
        raise TypeError
    return value


def _int(value: object) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _bytes(value: object) -> bytes:
    if type(value) is not bytes:
        raise TypeError
    return value
