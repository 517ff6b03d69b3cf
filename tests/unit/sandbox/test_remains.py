"""Which objects could be seen to go."""

from __future__ import annotations

import collections
import enum
import gc
import io
import socket
import types
import weakref
from collections.abc import Callable

from tests.unit.sandbox.alone import alone

from dcodex_worker.template import remains


def _waiting() -> object:
    generator = (number for number in (1, 2))
    next(generator)
    return generator


def _closed(stream: io.TextIOWrapper | socket.socket) -> object:
    stream.close()
    return stream


def _new(*bases: type, **members: object) -> type:
    return types.new_class("New", bases, {}, lambda namespace: namespace.update(members))


_SILENT: tuple[Callable[[], object], ...] = (
    lambda: 1,
    lambda: [{}, {1}, (lambda: 1)],
    lambda: _new()(),
    lambda: _new(dict)(),
    lambda: _new(Exception)("x"),
    lambda: enum.Enum("Colour", "RED"),
    lambda: collections.OrderedDict(a=[]),
    lambda: _closed(open("/dev/null")),  # noqa: SIM115 # that closes it
    lambda: _closed(socket.socket()),
    lambda: io.StringIO("x"),
    lambda: weakref.ref(_new()),
)
_LOUD: tuple[Callable[[], object], ...] = (
    lambda: _new(__del__=print)(),
    lambda: _new(_new(__del__=print))(),
    lambda: _new(__del__=print, __slots__=())(),
    lambda: _new(__release_buffer__=print),
    lambda: _new(str)("a name"),
    lambda: _new(type)("New", (), {}),
    lambda: _new(io.StringIO)(),
    lambda: _new(socket.socket)(),
    lambda: types.ModuleType("own"),
    lambda: weakref.ref(print, print),
    lambda: weakref.proxy(_new(), print),
    lambda: open("/dev/null"),  # noqa: SIM115 # left open
    lambda: io.BufferedReader(io.FileIO("/dev/null")),
    lambda: socket.socket(),
    _waiting,
    lambda: [[] for _ in range(remains.MOST_OBJECTS + 1)],
)


def _verdicts(makers: tuple[Callable[[], object], ...]) -> list[bool]:
    """Of a main module that holds what each of these makes, and nothing else that is new."""
    gc.collect()
    gc.freeze()
    is_silent = remains.prepare()
    found = []
    for make in makers:
        gc.freeze()
        main = types.ModuleType("__main__")
        vars(main)["left"] = make()
        found.append(is_silent(main))
    return found


@alone
def test_what_only_gives_memory_back_goes_in_silence() -> None:
    assert _verdicts(_SILENT) == [True] * len(_SILENT)


@alone
def test_what_may_do_more_is_in_doubt() -> None:
    assert _verdicts(_LOUD) == [False] * len(_LOUD)


@alone
def test_what_the_collector_does_not_list_is_in_doubt() -> None:
    is_silent = remains.prepare()
    main = types.ModuleType("__main__")
    gc.freeze()
    assert not is_silent(main)
