"""The codec: what is sent arrives, and whatever else arrives is a RemoteProtocolError."""

from __future__ import annotations

import contextlib
import typing
from dataclasses import fields

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_shared import messages
from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.messages import Credit, Goodbye, Heartbeat, Message, Submit
from dcodex_shared.wire import MAX_HEADER_BYTES, MAX_PAYLOAD_BYTES, decode, encode

CLASSES: tuple[type[Message], ...] = typing.get_args(messages.Message)

_TEXT = st.text(max_size=64)
_SCALARS: dict[object, st.SearchStrategy[object]] = {
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: _TEXT,
    bytes: st.binary(max_size=64),
    bool: st.booleans(),
}


def _values(annotation: object) -> st.SearchStrategy[object]:
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    arguments = typing.get_args(annotation)
    if arguments[-1] is Ellipsis:
        return st.lists(_values(arguments[0]), max_size=4).map(tuple)
    return st.tuples(*map(_values, arguments))


def _of(cls: type[Message]) -> st.SearchStrategy[Message]:
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{member.name: _values(hints[member.name]) for member in fields(cls)})


any_message = st.one_of(*map(_of, CLASSES))


@given(any_message, st.binary(max_size=256))
def test_every_message_arrives_as_it_was_sent(message: Message, payload: bytes) -> None:
    assert decode(encode(message, payload)) == (message, payload)


@given(st.lists(st.binary(max_size=128), max_size=4))
def test_arbitrary_frames_are_a_message_or_the_peers_fault(frames: list[bytes]) -> None:
    with contextlib.suppress(RemoteProtocolError):
        decode(frames)


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | _TEXT,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(_TEXT, children, max_size=3),
    max_leaves=12,
)


@given(st.integers(-2, len(CLASSES) + 2), st.lists(_json | st.binary(max_size=16), max_size=14))
def test_well_packed_nonsense_is_a_message_or_the_peers_fault(
    tag: int, values: list[object]
) -> None:
    try:
        message, _ = decode([msgpack.packb([tag, *values]), b""])
    except RemoteProtocolError:
        return
    # What passed is whole: it can be sent on.
    assert decode(encode(message))[0] == message


@given(any_message, st.data())
def test_a_bent_header_is_a_message_or_the_peers_fault(
    message: Message, data: st.DataObject
) -> None:
    header = bytearray(encode(message)[0])
    for _ in range(data.draw(st.integers(1, 4))):
        header[data.draw(st.integers(0, len(header) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(RemoteProtocolError):
        decode([bytes(header), b""])


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ([], "frames"),
        ([b""], "frames"),
        ([b"", b"", b""], "frames"),
        ([b"", b""], "not msgpack"),
        ([b"\x00" * (MAX_HEADER_BYTES + 1), b""], "header of"),
        ([encode(Heartbeat())[0], b"\x00" * (MAX_PAYLOAD_BYTES + 1)], "payload of"),
        ([msgpack.packb({}), b""], "tagged array"),
        ([msgpack.packb([]), b""], "tagged array"),
        ([msgpack.packb(["0"]), b""], "tagged array"),
        ([msgpack.packb([True]), b""], "tagged array"),
        ([msgpack.packb([-1]), b""], "unknown tag"),
        ([msgpack.packb([10_000]), b""], "unknown tag"),
        ([encode(Heartbeat())[0] * 2, b""], "not msgpack"),
        ([b"\x91" * 2000, b""], "not msgpack"),
    ],
)
def test_each_malformation_is_named(frames: list[bytes], words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        decode(frames)


def test_a_field_too_few_is_refused() -> None:
    values = msgpack.unpackb(encode(Credit("x", 1))[0])[:-1]
    with pytest.raises(RemoteProtocolError, match="fields"):
        decode([msgpack.packb(values), b""])


@pytest.mark.parametrize("more", [[0], [None, {"a": [1]}]])
def test_what_a_newer_peer_says_beyond_the_known_fields_is_passed_over(more: list[object]) -> None:
    values = [*msgpack.unpackb(encode(Credit("x", 1))[0]), *more]
    assert decode([msgpack.packb(values), b""]) == (Credit("x", 1), b"")


def test_an_older_peer_does_not_say_what_has_a_default() -> None:
    values = msgpack.unpackb(encode(Goodbye("bye", settled=True))[0])
    assert decode([msgpack.packb(values[:-1]), b""])[0] == Goodbye("bye", settled=False)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), "1", None, True])
def test_a_number_that_is_none_is_refused(bad: object) -> None:
    values = [*msgpack.unpackb(encode(SUBMIT)[0])]
    values[1 + [member.name for member in fields(Submit)].index("deadline_s")] = bad
    with pytest.raises(RemoteProtocolError, match="wrong type"):
        decode([msgpack.packb(values), b""])


SUBMIT = Submit("id", "tenant", "python", 0, 1.0, True, 1, 1.0, b"", "", False)


def test_the_order_of_the_messages_is_the_wire_and_does_not_move() -> None:
    names = [cls.__name__ for cls in CLASSES]
    assert names[:27] == [
        "Hello", "Welcome", "Goodbye", "Heartbeat", "Submit", "Credit", "Stdin", "StdinClose",
        "Signal", "Cancel", "WatchFarm", "Queued", "Started", "Refused", "LanguageList",
        "FarmState", "Lease", "Arm", "Retire", "Ready", "Output", "StdinCredit", "Finished",
        "HostState", "StartWorker", "StopWorker", "WorkerExited",
    ]  # fmt: skip
