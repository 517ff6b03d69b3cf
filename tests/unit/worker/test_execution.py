"""An execution's decisions, seen as a loop sees them."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_shared.limits import (
    COMPILE_LIMITS,
    DEFAULT_LIMITS,
    MAX_CHUNK_BYTES,
    MAX_OUTPUT_BYTES,
    STDIN_WINDOW_BYTES,
    Limits,
)
from dcodex_shared.messages import Lease, Output, StdinCredit, Stream, Verdict
from dcodex_shared.program import Program, unpack_records
from dcodex_worker.execution import (
    CPU_CHECK_S,
    KILL_PATIENCE_S,
    UNARY_HASTE_S,
    UNARY_KEPT_BYTES,
    UNARY_KEPT_MOST_BYTES,
    UNARY_LOT_BYTES,
    UNARY_PATIENCE_S,
    Execution,
)
from dcodex_worker.verdict import Cause, Outcome

LARGE = dataclasses.replace(DEFAULT_LIMITS, output_bytes=1 << 30)
OK = Outcome(Verdict.OK, 0, 0, "")


def execution(
    *,
    streaming: bool = True,
    window: int = 256 * 1024,
    limits: Limits = DEFAULT_LIMITS,
    stdin: bytes = b"",
    stdin_complete: bool = True,
    cores: int = 2,
    trace: bool = False,
    piece: int = MAX_CHUNK_BYTES,
    widest: int = 0,
) -> Execution:
    lease = Lease("e1", "python", streaming, window, trace, piece, widest)
    program = Program("python", (), "main.py", (), (), (), stdin, stdin_complete, limits)
    made = Execution(lease, program, cores, now=100.0)
    made.begin_stage(limits, compiling=False, now=100.0)
    return made


def sent(made: Execution) -> list[tuple[int, bytes]]:
    pieces = []
    for output, data in made.sendable():
        assert isinstance(output, Output)
        pieces.append((output.stream, data))
    return pieces


def payload_of(made: Execution) -> list[tuple[Stream, bytes]]:
    return unpack_records(made.finish(OK, (0.0, 0.0), 0.0, 0, False, 101.0)[1])


# --- output ----------------------------------------------------------------------------------


def test_a_streamed_piece_is_sent_at_once() -> None:
    made = execution()
    made.take(Stream.STDOUT, b"hi", 100.1)
    assert sent(made) == [(Stream.STDOUT, b"hi")]
    assert payload_of(made) == []


def test_a_used_up_window_stops_the_reading_until_credit_comes() -> None:
    made = execution(window=4)
    made.take(Stream.STDOUT, b"abcd", 100.1)
    assert sent(made) == [(1, b"abcd")]
    assert not made.wants_output()
    made.credit(3)
    assert made.wants_output()
    assert made.read_bytes() == 3


def test_little_credit_is_saved_up_for_a_larger_piece() -> None:
    made = execution(window=400)
    made.take(Stream.STDOUT, b"x" * 400, 100.1)
    assert sent(made) == [(1, b"x" * 400)]
    made.credit(99)
    assert not made.wants_output()
    made.credit(1)
    assert made.wants_output()


@pytest.mark.parametrize("streaming", [True, False])
def test_a_piece_is_no_larger_than_the_coordinator_passes_on(streaming: bool) -> None:
    assert execution(streaming=streaming).read_bytes() == MAX_CHUNK_BYTES
    assert execution(streaming=streaming, piece=100).read_bytes() == 100


def test_credit_never_opens_more_than_the_window() -> None:
    made = execution(window=4)
    made.credit(1000)
    assert made.read_bytes() == 4


def test_credit_opens_as_much_more_as_the_lease_allows() -> None:
    made = execution(window=4, widest=10)
    assert made.read_bytes() == 4
    made.credit(3)
    assert made.read_bytes() == 7
    made.credit(1000)
    assert made.read_bytes() == 10


def test_what_the_pipes_hold_at_the_end_travels_with_finished_beyond_the_window() -> None:
    made = execution(window=4)
    made.take(Stream.STDOUT, b"abcdef", 100.1)
    assert sent(made) == [(1, b"abcd")]
    made.take(Stream.STDERR, b"xyz", 100.2)
    assert payload_of(made) == [(Stream.STDOUT, b"ef"), (Stream.STDERR, b"xyz")]


def test_a_unary_run_sends_nothing_but_its_answer() -> None:
    made = execution(streaming=False)
    made.take(Stream.STDOUT, b"a", 100.1)
    made.take(Stream.STDOUT, b"b", 100.1)
    made.take(Stream.STDERR, b"c", 100.1)
    made.take(Stream.STDOUT, b"d", 100.1)
    assert sent(made) == []
    assert payload_of(made) == [
        (Stream.STDOUT, b"ab"),
        (Stream.STDERR, b"c"),
        (Stream.STDOUT, b"d"),
    ]


def test_a_unary_run_with_very_much_output_goes_on_as_a_stream() -> None:
    piece = UNARY_KEPT_BYTES // 4
    made = execution(streaming=False, limits=LARGE, window=2 * piece, piece=MAX_OUTPUT_BYTES)
    chunk = b"x" * piece
    while made.wants_output():
        made.take(Stream.STDOUT, chunk, 100.1)
    assert sent(made) == [(1, chunk)] * 2
    assert not made.wants_output()
    made.credit(piece)
    assert sent(made) == [(1, chunk)]
    rest = payload_of(made)
    assert sum(len(data) for _, data in rest) == UNARY_KEPT_BYTES - 3 * piece


def test_more_of_a_unary_run_is_held_back_for_a_gateway_that_takes_only_the_answer() -> None:
    made = execution(streaming=False, limits=LARGE, piece=MAX_CHUNK_BYTES)
    made.take(Stream.STDOUT, b"x" * (UNARY_KEPT_MOST_BYTES - 1), 100.1)
    assert sent(made) == []
    assert made.wants_output()


def test_a_unary_run_is_first_left_alone_for_a_moment() -> None:
    made = execution(streaming=False)
    assert not made.watches_output(100.0)
    assert made.next_deadline(100.0) == 100.0 + UNARY_PATIENCE_S
    assert made.watches_output(100.0 + UNARY_PATIENCE_S)
    assert execution().watches_output(100.0)


def test_a_unary_run_is_left_alone_for_a_moment_after_each_look_also_when_it_is_sent() -> None:
    made = execution(streaming=False, limits=LARGE, piece=MAX_OUTPUT_BYTES)
    made.take(Stream.STDOUT, b"x" * UNARY_KEPT_BYTES, 100.1)
    assert sent(made) == [(1, b"x" * UNARY_KEPT_BYTES)]
    assert not made.watches_output(100.1)
    made.credit(UNARY_KEPT_BYTES)
    assert made.next_deadline(100.1) == 100.1 + UNARY_HASTE_S
    assert made.watches_output(100.1 + UNARY_HASTE_S)


def test_a_unary_run_that_has_written_a_lot_is_looked_at_sooner() -> None:
    made = execution(streaming=False, limits=LARGE)
    made.take(Stream.STDOUT, b"x" * (UNARY_LOT_BYTES - 1), 100.1)
    assert made.next_deadline(100.1) == 100.1 + UNARY_PATIENCE_S
    made.take(Stream.STDERR, b"x", 100.2)
    assert made.next_deadline(100.2) == 100.2 + UNARY_HASTE_S < 100.2 + UNARY_PATIENCE_S


def test_output_that_is_streamed_is_watched_always() -> None:
    made = execution(limits=LARGE)
    made.take(Stream.STDOUT, b"x" * UNARY_LOT_BYTES, 100.1)
    sent(made)
    made.credit(UNARY_LOT_BYTES)
    assert made.watches_output(100.1)


def test_exactly_the_limit_is_no_excess() -> None:
    made = execution(limits=dataclasses.replace(DEFAULT_LIMITS, output_bytes=4))
    made.take(Stream.STDOUT, b"abcd", 100.1)
    assert not made.output_truncated
    assert made.cause is None


def test_one_byte_more_than_the_limit_is_cut_off_and_stops_the_program() -> None:
    made = execution(limits=dataclasses.replace(DEFAULT_LIMITS, output_bytes=4))
    made.take(Stream.STDOUT, b"ab", 100.1)
    made.take(Stream.STDERR, b"cde", 100.1)
    made.take(Stream.STDERR, b"f", 100.2)
    assert made.cause is Cause.OUTPUT
    assert sent(made) == [(1, b"ab"), (2, b"cd")]
    assert made.finish(OK, (0.0, 0.0), 0.0, 0, False, 101.0)[0].output_truncated


def test_what_a_compiler_says_is_compiler_output_and_no_part_of_the_programs_limit() -> None:
    made = execution(limits=dataclasses.replace(DEFAULT_LIMITS, output_bytes=4))
    made.begin_stage(COMPILE_LIMITS, compiling=True, now=100.0)
    made.take(Stream.STDERR, b"warning: unused", 100.1)
    assert made.end_stage(0, 0.1, False, False, 100.5) is None
    assert made.compile_s == 0.5
    made.begin_stage(made.program.limits, compiling=False, now=101.0)
    made.take(Stream.STDOUT, b"abcd", 101.1)
    assert not made.output_truncated
    assert sent(made) == [(Stream.COMPILER, b"warning: unused"), (Stream.STDOUT, b"abcd")]


@given(
    st.lists(st.tuples(st.sampled_from([Stream.STDOUT, Stream.STDERR]), st.binary(max_size=40))),
    st.lists(st.integers(0, 40)),
    st.booleans(),
    st.integers(1, 60),
    st.integers(1, 300),
)
def test_every_stream_arrives_whole_in_order_and_within_window_and_limit(
    pieces: list[tuple[Stream, bytes]],
    given_back_at: list[int],
    streaming: bool,
    window: int,
    limit: int,
) -> None:
    limits = dataclasses.replace(DEFAULT_LIMITS, output_bytes=limit)
    made = execution(streaming=streaming, window=window, limits=limits)
    got: list[tuple[int, bytes]] = []
    unacknowledged = 0
    for number, (stream, data) in enumerate(pieces):
        made.take(stream, data, 100.1)
        if number < len(given_back_at):
            given_back = min(given_back_at[number], unacknowledged)
            made.credit(given_back)
            unacknowledged -= given_back
        now_sent = sent(made)
        unacknowledged += sum(len(data) for _, data in now_sent)
        assert unacknowledged <= window
        got += now_sent
    got += [(int(stream), data) for stream, data in payload_of(made)]
    total = sum(len(data) for _, data in pieces)
    assert sum(len(data) for _, data in got) == min(total, limit)
    for stream in (Stream.STDOUT, Stream.STDERR):
        written = b"".join(data for which, data in pieces if which is stream)
        passed_on = b"".join(data for which, data in got if which == stream)
        assert written.startswith(passed_on)
        if total <= limit:
            assert written == passed_on
    assert made.output_truncated == (total > limit)


# --- stdin -----------------------------------------------------------------------------------


def test_stdin_is_given_back_half_a_window_at_a_time_but_not_what_came_along() -> None:
    half = STDIN_WINDOW_BYTES // 2
    made = execution(stdin=b"abc", stdin_complete=False)
    assert made.push_stdin(b"d" * half + b"ef") is None
    assert made.next_stdin() == b"abc" + b"d" * half + b"ef"
    assert made.took_stdin(2) is None
    assert made.took_stdin(half) is None
    assert made.took_stdin(2) == StdinCredit("e1", half + 1)
    assert made.took_stdin(1) is None
    assert not made.stdin_exhausted()
    made.end_stdin()
    assert made.stdin_exhausted()


def test_stdin_after_its_end_is_ignored() -> None:
    made = execution(stdin_complete=True)
    made.push_stdin(b"late")
    assert made.next_stdin() == b""
    assert made.stdin_exhausted()


def test_stdin_for_a_program_that_closed_it_is_thrown_away_and_given_back() -> None:
    made = execution(stdin=b"ab", stdin_complete=False)
    made.push_stdin(b"c" * STDIN_WINDOW_BYTES)
    assert made.break_stdin() == StdinCredit("e1", STDIN_WINDOW_BYTES)
    assert made.push_stdin(b"m" * STDIN_WINDOW_BYTES) == StdinCredit("e1", STDIN_WINDOW_BYTES)
    assert made.next_stdin() == b""


def test_more_stdin_than_the_window_ends_the_execution_as_our_failure() -> None:
    made = execution(stdin=b"x" * (2 * STDIN_WINDOW_BYTES), stdin_complete=False)
    made.push_stdin(b"y" * STDIN_WINDOW_BYTES)
    assert made.cause is None
    made.push_stdin(b"y")
    assert made.cause is Cause.OVERRUN


def test_a_compiler_gets_no_stdin() -> None:
    made = execution(stdin=b"abc")
    made.begin_stage(COMPILE_LIMITS, compiling=True, now=100.0)
    assert made.next_stdin() == b""
    made.begin_stage(DEFAULT_LIMITS, compiling=False, now=101.0)
    assert made.next_stdin() == b"abc"


# --- time ------------------------------------------------------------------------------------


def test_the_wall_limit_stops_the_program_at_its_time_and_not_before() -> None:
    made = execution()
    made.expire(109.999)
    assert made.cause is None
    made.expire(110.0)
    assert made.cause is Cause.WALL


def test_the_first_cause_stands() -> None:
    made = execution()
    made.stop(Cause.CANCELLED, "gone")
    made.expire(200.0)
    assert (made.cause, made.reason) == (Cause.CANCELLED, "gone")


@pytest.mark.parametrize("cores", [1, 2, 16])
@pytest.mark.parametrize("limit_s", [0.001, 0.05, 1.0, 60.0])
def test_a_cpu_limit_is_noticed_within_a_step_by_few_looks(cores: int, limit_s: float) -> None:
    limits = dataclasses.replace(DEFAULT_LIMITS, cpu_s=limit_s, wall_s=1e6)
    made = execution(limits=limits, cores=cores)
    now, looks = 100.0, 0
    while made.cause is None:
        now = made.next_deadline(now)
        assert made.wants_cpu(now)
        made.used_cpu((now - 100.0) * cores, oom_killed=False, now=now)
        looks += 1
    assert made.cause is Cause.CPU
    assert now - (100.0 + limit_s / cores) <= CPU_CHECK_S + 1e-9
    assert looks <= 20 + limit_s / 0.5


def test_a_program_of_one_thread_is_looked_at_ever_more_often() -> None:
    made = execution(cores=2)
    looks = []
    now = 100.0
    while made.cause is None:
        now = made.next_deadline(now)
        looks.append(now)
        made.used_cpu(now - 100.0, oom_killed=False, now=now)
    assert looks[-1] - 101.0 <= CPU_CHECK_S
    assert len(looks) <= 10


def test_the_oom_killer_in_a_child_ends_the_whole_program_as_a_memory_limit() -> None:
    made = execution()
    made.used_cpu(0.1, oom_killed=True, now=100.5)
    assert made.cause is not None
    outcome = made.end_stage(None, 0.1, True, False, 100.6)
    assert outcome is not None
    assert outcome.verdict is Verdict.MEMORY_LIMIT


def test_a_killed_sandbox_that_does_not_report_is_given_up() -> None:
    made = execution()
    made.stop(Cause.CANCELLED)
    made.killed(101.0)
    made.killed(103.0)
    assert made.next_deadline(103.0) == 101.0 + KILL_PATIENCE_S
    assert not made.given_up(105.9)
    assert made.given_up(106.0)


# --- the last message ------------------------------------------------------------------------


def test_stamps_are_taken_once_each_and_only_when_asked_for() -> None:
    made = execution(trace=True)
    made.take(Stream.STDOUT, b"a", 100.1)
    made.take(Stream.STDOUT, b"b", 100.2)
    made.end_stage(0, 0.0, False, False, 100.3)
    finished, _ = made.finish(OK, (0.0, 0.0), 0.3, 0, False, 100.4)
    assert finished.stamps == (
        ("worker.received", 100.0),
        ("worker.launched", 100.0),
        ("worker.first_output", 100.1),
        ("worker.exited", 100.3),
        ("worker.sent", 100.4),
    )
    assert execution().finish(OK, (0.0, 0.0), 0.3, 0, False, 100.4)[0].stamps == ()


def test_finished_carries_usage_and_outcome() -> None:
    made = execution()
    outcome = made.end_stage(42 << 8, 0.2, False, False, 100.5)
    assert outcome is not None
    finished, payload = made.finish(outcome, (0.15, 0.05), 0.5, 4096, True, 100.6)
    assert finished.verdict == Verdict.NONZERO_EXIT
    assert (finished.exit_code, finished.signal) == (42, 0)
    assert (finished.cpu_user_s, finished.cpu_system_s) == (0.15, 0.05)
    assert (finished.wall_s, finished.peak_memory_bytes) == (0.5, 4096)
    assert finished.compile_cache_hit
    assert unpack_records(payload) == []
