"""Programs, records and snapshots: packed and unpacked, and nothing else accepted."""

from __future__ import annotations

import contextlib
from dataclasses import astuple

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.farm import FarmView, QueueView, WorkerView, pack_farm, unpack_farm
from dcodex_shared.limits import DEFAULT_LIMITS, Limits
from dcodex_shared.messages import Stream
from dcodex_shared.program import (
    Program,
    SourceFile,
    pack_program,
    pack_records,
    unpack_program,
    unpack_records,
)

text = st.text(max_size=20)
count = st.integers(1, 2**40)
seconds = st.floats(0.001, 1e6)
limits = st.builds(Limits, seconds, seconds, count, count, count, count, count)
files = st.builds(SourceFile, text, st.integers(0, 0o777), st.binary(max_size=50))
programs = st.builds(
    Program,
    language=text,
    files=st.lists(files, max_size=4).map(tuple),
    entry_point=text,
    args=st.lists(text, max_size=4).map(tuple),
    compile_args=st.lists(text, max_size=2).map(tuple),
    environment=st.lists(st.tuples(text, text), max_size=4).map(tuple),
    stdin=st.binary(max_size=50),
    stdin_complete=st.booleans(),
    limits=limits,
)


@given(programs)
def test_a_program_arrives_as_it_was_sent(program: Program) -> None:
    assert unpack_program(pack_program(program)) == program


@given(programs, programs)
def test_programs_pack_alike_exactly_when_they_are_equal(one: Program, other: Program) -> None:
    assert (pack_program(one) == pack_program(other)) == (one == other)


@given(st.lists(st.tuples(st.sampled_from(Stream), st.binary(max_size=50)), max_size=8))
def test_records_arrive_in_their_order(records: list[tuple[Stream, bytes]]) -> None:
    assert unpack_records(pack_records(records)) == records


def test_no_payload_is_no_records() -> None:
    assert unpack_records(b"") == []


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_never_another_error(payload: bytes) -> None:
    for unpack in (unpack_program, unpack_records, unpack_farm):
        with contextlib.suppress(RemoteProtocolError):
            unpack(payload)


PROGRAM = Program("python", (), "main.py", (), (), (), b"", True, DEFAULT_LIMITS)


@pytest.mark.parametrize("bad", [0, -1, float("nan")])
@pytest.mark.parametrize("place", range(7))
def test_a_program_with_a_limit_that_is_none_is_refused(place: int, bad: float) -> None:
    values = [*msgpack.unpackb(pack_program(PROGRAM))]
    values[-1][place] = bad
    with pytest.raises(RemoteProtocolError):
        unpack_program(msgpack.packb(values))


def test_equal_limits_of_another_type_arrive_as_they_are() -> None:
    values = [*msgpack.unpackb(pack_program(PROGRAM))]
    values[-1] = [1] * 7
    whole = unpack_program(msgpack.packb(values))
    values[-1] = [1.0] * 7
    broken = unpack_program(msgpack.packb(values))
    assert (str(whole.limits.processes), str(broken.limits.processes)) == ("1", "1.0")


def test_a_program_is_unpacked_where_it_was_received() -> None:
    assert unpack_program(memoryview(pack_program(PROGRAM))) == PROGRAM


def test_a_record_of_an_unknown_stream_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        unpack_records(pack_records([(7, b"x")]))


VIEW = FarmView(
    workers=(WorkerView("h/1", "h", 2, "python", "id", "tenant", 0.5, 3, ("new>IDLE",)),),
    queues=(QueueView("python", 7, 0.25),),
    workers_desired=4,
    executions_total=25,
    cache_hits_total=2,
    cache_misses_total=23,
    latency_p50_s=0.005,
    latency_p99_s=0.25,
    peak_memory_bytes=123,
    load_average=1.5,
)


def test_a_snapshot_arrives_as_it_was_sent() -> None:
    assert unpack_farm(pack_farm(VIEW)) == VIEW


def test_a_snapshot_with_a_part_missing_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        unpack_farm(msgpack.packb(astuple(VIEW)[:-1]))
