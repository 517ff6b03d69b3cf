"""One stream's exchange: order, windows, ends."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dcodex_gateway.exchange import CALLERS_PIECE_BYTES, READ_LEAST_BYTES, Chunk, Exchange
from dcodex_shared.errors import Reason, Rejected, RemoteProtocolError
from dcodex_shared.limits import STDIN_WINDOW_BYTES
from dcodex_shared.messages import (
    Cancel,
    Credit,
    Finished,
    Lease,
    Message,
    Output,
    Queued,
    Refused,
    Signal,
    Started,
    Stdin,
    StdinClose,
    StdinCredit,
    Stream,
    Verdict,
)
from dcodex_shared.program import pack_records

ID = "x"
WINDOW = 4096


def exchange(window: int = WINDOW, stdin_complete: bool = False) -> Exchange:
    return Exchange(ID, window, stdin_complete)


def end(verdict: int = Verdict.OK, exit_code: int = 0) -> Finished:
    return Finished(ID, verdict, exit_code, 0, "", 0.0, 0.0, 0.0, 0, 0.0, False, False)


def output(data: bytes, stream: Stream = Stream.STDOUT) -> tuple[Output, bytes]:
    return Output(ID, stream), data


def events(exchange: Exchange) -> list[object]:
    taken: list[object] = []
    while (event := exchange.next_event()) is not None:
        taken.append((event.stream, b"".join(event.take())) if isinstance(event, Chunk) else event)
    return taken


# --- output ----------------------------------------------------------------------------------


def test_events_come_out_in_the_order_they_came_in() -> None:
    x = exchange()
    x.receive(Queued(ID, 1), b"")
    x.receive(Started(ID, "w", 0.1, True), b"")
    x.receive(*output(b"a", Stream.COMPILER))
    x.receive(*output(b"b", Stream.STDERR))
    x.receive(*output(b"c"))
    x.receive(end(), pack_records([(Stream.STDERR, b"d")]))
    assert events(x) == [
        Queued(ID, 1),
        Started(ID, "w", 0.1, True),
        (Stream.COMPILER, b"a"),
        (Stream.STDERR, b"b"),
        (Stream.STDOUT, b"c"),
        (Stream.STDERR, b"d"),
        end(),
    ]


def test_chunks_that_wait_are_joined_and_those_of_other_streams_keep_their_place() -> None:
    x = exchange()
    for data, stream in ((b"a", Stream.STDOUT), (b"b", Stream.STDOUT), (b"c", Stream.STDERR)):
        x.receive(*output(data, stream))
    x.receive(*output(b"d"))
    assert events(x) == [
        (Stream.STDOUT, b"ab"),
        (Stream.STDERR, b"c"),
        (Stream.STDOUT, b"d"),
    ]


def test_a_chunk_never_grows_beyond_its_bound() -> None:
    x = exchange(window=4 * CALLERS_PIECE_BYTES)
    for _ in range(4):
        x.receive(*output(b"x" * (CALLERS_PIECE_BYTES // 2 + 1)))
    x.receive(end(), pack_records([(Stream.STDOUT, b"y" * (2 * CALLERS_PIECE_BYTES + 1))]))
    sizes = []
    while (event := x.next_event()) is not None:
        if isinstance(event, Chunk):
            sizes.append(event.size)
    assert max(sizes) <= CALLERS_PIECE_BYTES
    assert sum(sizes) == 4 * (CALLERS_PIECE_BYTES // 2 + 1) + 2 * CALLERS_PIECE_BYTES + 1


def test_only_the_newest_position_in_the_queue_waits_for_a_slow_reader() -> None:
    x = exchange()
    for position in (9, 5, 2):
        x.receive(Queued(ID, position), b"")
    assert events(x) == [Queued(ID, 2)]


def test_a_position_that_comes_after_the_start_is_late() -> None:
    x = exchange()
    x.receive(Started(ID, "w", 0.0, True), b"")
    x.receive(Queued(ID, 1), b"")
    x.receive(Started(ID, "w", 0.0, True), b"")
    assert len(events(x)) == 1


def test_credit_is_given_back_half_a_window_at_a_time() -> None:
    x = exchange()
    x.receive(*output(b"x" * WINDOW))
    x.took(WINDOW // 2 - 1)
    assert x.take_commands() == ()
    x.took(1)
    assert x.take_commands() == [(Credit(ID, WINDOW // 2), b"")]


def test_the_window_of_a_caller_that_reads_a_lot_is_widened_by_the_next_credit() -> None:
    asked: list[int] = []
    given: list[Message] = []

    def widen() -> int:
        asked.append(len(given))
        return WINDOW if len(asked) == 1 else 0

    x = Exchange(ID, WINDOW, False, widen)
    half, turns = WINDOW // 2, 2 * READ_LEAST_BYTES * 2 // WINDOW
    for _ in range(turns):
        x.receive(*output(b"x" * half))
        x.took(half)
        given += [command for command, _ in x.take_commands()]
    assert asked == [turns // 2 - 1, turns - 1]
    assert given == [Credit(ID, half + WINDOW * (turn == turns // 2 - 1)) for turn in range(turns)]
    x.receive(*output(b"x" * 2 * WINDOW))
    with pytest.raises(RemoteProtocolError, match="beyond the window"):
        x.receive(*output(b"y"))


def test_output_beyond_the_window_is_the_peers_fault() -> None:
    x = exchange()
    x.receive(*output(b"x" * WINDOW))
    with pytest.raises(RemoteProtocolError, match="beyond the window"):
        x.receive(*output(b"y"))


@pytest.mark.parametrize(
    "message",
    [
        (Output(ID, 9), b"x"),
        (end(verdict=0), b""),
        (end(verdict=13), b""),
        (end(exit_code=2**31), b""),
        (end(), b"\xc1"),
        (Lease(ID, "python", True, 1, False), b""),
    ],
)
def test_a_senseless_message_is_the_peers_fault_and_ends_nothing(
    message: tuple[Finished, bytes],
) -> None:
    x = exchange()
    with pytest.raises(RemoteProtocolError):
        x.receive(*message)
    assert not x.ended


# --- ends ------------------------------------------------------------------------------------


def test_nothing_is_taken_in_or_sent_after_the_end() -> None:
    x = exchange()
    x.receive(end(), b"")
    x.receive(*output(b"late"))
    x.push_stdin(b"late")
    x.signal(9)
    x.close_stdin()
    x.took(WINDOW)
    x.cancel("late")
    assert x.take_commands() == ()
    assert events(x) == [end()]


def test_a_refusal_carries_its_reason_and_its_pause() -> None:
    x = exchange()
    x.receive(Refused(ID, Reason.RESOURCE_EXHAUSTED, "full", 0.5), b"")
    (why,) = events(x)
    assert isinstance(why, Rejected)
    assert (why.reason, why.message, why.retry_after_s) == (Reason.RESOURCE_EXHAUSTED, "full", 0.5)


def test_a_refusal_for_no_known_reason_is_ours() -> None:
    x = exchange()
    x.receive(Refused(ID, 99, "?", -1.0), b"")
    (why,) = events(x)
    assert isinstance(why, Rejected)
    assert why.reason is Reason.INTERNAL
    assert why.retry_after_s == 0.0


def test_what_came_before_the_coordinator_was_lost_is_still_delivered() -> None:
    x = exchange()
    x.receive(*output(b"before"))
    lost = Rejected(Reason.UNAVAILABLE, "lost")
    x.lost(lost)
    x.lost(lost)
    assert events(x) == [(Stream.STDOUT, b"before"), lost]
    assert x.take_commands() == ()


def test_a_failure_stops_the_program_and_is_told_at_once() -> None:
    x = exchange()
    x.receive(*output(b"before"))
    why = Rejected(Reason.INVALID_ARGUMENT, "nonsense")
    x.fail(why)
    assert events(x) == [why]
    assert x.take_commands() == [(Cancel(ID, "nonsense"), b"")]


def test_a_caller_that_is_gone_has_its_program_cancelled_once() -> None:
    x = exchange()
    x.cancel("gone")
    x.cancel("gone")
    assert x.take_commands() == [(Cancel(ID, "gone"), b"")]


# --- stdin and signals -----------------------------------------------------------------------


def test_stdin_goes_out_in_order_and_stops_at_the_window() -> None:
    x = exchange()
    data = bytes(range(256)) * (3 * STDIN_WINDOW_BYTES // 256)
    x.push_stdin(data)
    assert x.stdin_blocked
    sent = b""
    while len(sent) < len(data):
        pieces = [payload for message, payload in x.take_commands()]
        assert 0 < sum(map(len, pieces)) <= STDIN_WINDOW_BYTES
        sent += b"".join(pieces)
        x.receive(StdinCredit(ID, sum(map(len, pieces))), b"")
    assert sent == data
    assert not x.stdin_blocked


@pytest.mark.parametrize("count", [-5, 10**12])
def test_a_peer_cannot_widen_the_stdin_window(count: int) -> None:
    x = exchange()
    x.push_stdin(b"abc")
    x.take_commands()
    x.receive(StdinCredit(ID, count), b"")
    x.push_stdin(b"x" * (2 * STDIN_WINDOW_BYTES))
    sent = sum(len(payload) for _, payload in x.take_commands())
    assert STDIN_WINDOW_BYTES - 3 <= sent <= STDIN_WINDOW_BYTES


def test_closing_twice_is_closing_once() -> None:
    x = exchange()
    x.push_stdin(b"a")
    x.close_stdin()
    x.close_stdin()
    assert x.take_commands() == [(Stdin(ID), b"a"), (StdinClose(ID), b"")]


@pytest.mark.parametrize("complete", [True, False])
def test_stdin_after_its_end_is_the_callers_fault(complete: bool) -> None:
    x = exchange(stdin_complete=complete)
    x.close_stdin()
    with pytest.raises(Rejected, match="stdin"):
        x.push_stdin(b"x")


def test_a_complete_stdin_needs_no_close() -> None:
    x = exchange(stdin_complete=True)
    x.close_stdin()
    assert x.take_commands() == ()


@pytest.mark.parametrize("number", [-1, 0, 32, 64, 2**31 - 1])
def test_a_signal_that_is_none_is_the_callers_fault(number: int) -> None:
    with pytest.raises(Rejected, match="signal"):
        exchange().signal(number)


def test_a_signal_goes_through() -> None:
    x = exchange()
    x.signal(15)
    assert x.take_commands() == [(Signal(ID, 15), b"")]


# --- all of it together ----------------------------------------------------------------------


class Streaming(RuleBasedStateMachine):
    """A worker, a caller and an exchange between them: nothing is lost, doubled or too much."""

    def __init__(self) -> None:
        super().__init__()
        self.x = Exchange(ID, WINDOW, stdin_complete=False)
        self.credit = WINDOW
        self.written: dict[Stream, bytes] = dict.fromkeys(Stream, b"")
        self.told: dict[Stream, bytes] = dict.fromkeys(Stream, b"")
        self.stdin_given = b""
        self.stdin_got = b""
        self.stdin_unread = 0

    def perform(self) -> None:
        for message, payload in self.x.take_commands():
            match message:
                case Credit(count=count):
                    self.credit += count
                case Stdin():
                    self.stdin_got += payload
                    self.stdin_unread += len(payload)

    @rule(stream=st.sampled_from(Stream), data=st.binary(min_size=1, max_size=WINDOW))
    def the_worker_writes(self, stream: Stream, data: bytes) -> None:
        data = data[: self.credit]
        self.credit -= len(data)
        self.written[stream] += data
        self.x.receive(Output(ID, stream), data)
        self.perform()

    @rule(count=st.integers(1, 5))
    def the_caller_reads(self, count: int) -> None:
        for _ in range(count):
            event = self.x.next_event()
            if isinstance(event, Chunk):
                self.told[event.stream] += b"".join(event.take())
                self.x.took(event.size)
                self.perform()

    @precondition(lambda self: not self.x.stdin_blocked)
    @rule(size=st.integers(1, 3 * STDIN_WINDOW_BYTES), seed=st.integers(0, 255))
    def the_caller_writes(self, size: int, seed: int) -> None:
        data = bytes((seed + i) & 255 for i in range(256)) * (size // 256) + b"e"
        self.stdin_given += data
        self.x.push_stdin(data)
        self.perform()

    @precondition(lambda self: self.stdin_unread > 0)
    @rule(data=st.data())
    def the_program_reads(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(1, self.stdin_unread))
        self.stdin_unread -= count
        self.x.receive(StdinCredit(ID, count), b"")
        self.perform()

    @invariant()
    def both_windows_hold(self) -> None:
        assert 0 <= self.credit <= WINDOW
        assert self.stdin_unread <= STDIN_WINDOW_BYTES

    @invariant()
    def nothing_is_out_of_order(self) -> None:
        for stream in Stream:
            assert self.written[stream].startswith(self.told[stream])
        assert self.stdin_given.startswith(self.stdin_got)

    def teardown(self) -> None:
        for _ in range(100_000):
            event = self.x.next_event()
            if event is None:
                break
            if isinstance(event, Chunk):
                self.told[event.stream] += b"".join(event.take())
                self.x.took(event.size)
                self.perform()
        assert self.told == self.written
        # Everything but less than half has been given back.
        assert self.credit * 2 > WINDOW
        while self.stdin_unread:
            self.x.receive(StdinCredit(ID, self.stdin_unread), b"")
            self.stdin_unread = 0
            self.perform()
        assert self.stdin_got == self.stdin_given


TestStreaming = Streaming.TestCase
TestStreaming.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=60))
def test_a_reader_that_keeps_up_gets_every_chunk_as_it_came(chunks: list[bytes]) -> None:
    x = exchange()
    for data in chunks:
        x.receive(*output(data))
        assert events(x) == [(Stream.STDOUT, data)]
        x.took(len(data))
