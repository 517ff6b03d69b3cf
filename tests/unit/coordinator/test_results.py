"""Results: recorded whole or not at all, kept within bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dcodex_coordinator.results import (
    ENTRY_BYTES,
    MAX_RECORDING_BYTES,
    MAX_RESULT_BYTES,
    Recording,
    RecordingBudget,
    Result,
    ResultStore,
)
from dcodex_shared.messages import Finished, Verdict
from dcodex_shared.program import pack_records, unpack_records

FINISHED = Finished("e", Verdict.OK, 0, 0, "", 0.0, 0.0, 0.0, 0, 0.0, False, False)


def result(size: int) -> Result:
    return Result(FINISHED, ((1, b"x" * size),), size, b"")


def test_a_recording_keeps_the_order_of_what_was_sent_and_what_came_last() -> None:
    recording = Recording(RecordingBudget())
    recording.add(1, b"out")
    recording.add(2, b"err")
    made = recording.finish(FINISHED, pack_records([(1, b"end")]), b"")
    assert made is not None
    assert unpack_records(made.payload()) == [(1, b"out"), (2, b"err"), (1, b"end")]


def test_a_recording_that_grows_too_large_is_dropped_whole_and_its_memory_given_back() -> None:
    budget = RecordingBudget()
    recording = Recording(budget)
    for _ in range(20):
        recording.add(1, b"x" * (MAX_RESULT_BYTES // 10))
    assert (budget.held_bytes, recording.records) == (0, [])
    assert recording.finish(FINISHED, b"", b"") is None


def test_all_recordings_together_stay_within_their_budget() -> None:
    budget = RecordingBudget()
    recordings = [Recording(budget) for _ in range(200)]
    for recording in recordings:
        for _ in range(9):
            recording.add(1, b"x" * (MAX_RESULT_BYTES // 10))
        assert budget.held_bytes <= MAX_RECORDING_BYTES
    assert any(recording.whole for recording in recordings)
    assert not all(recording.whole for recording in recordings)
    for recording in recordings:
        recording.drop()
    assert budget.held_bytes == 0


def test_a_payload_that_is_no_records_makes_no_result() -> None:
    assert Recording(RecordingBudget()).finish(FINISHED, b"\xc1", b"") is None


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5000), st.floats(0.0, 20.0))))
def test_a_store_stays_within_entries_bytes_and_time(
    puts: list[tuple[int, int, float]],
) -> None:
    now = 0.0
    store = ResultStore(8, 100_000, 60.0, lambda: now)
    kept_at: dict[int, float] = {}
    for key, size, pause_s in puts:
        now += pause_s
        store.put(key, result(size))
        kept_at[key] = now
        assert len(store) <= 8
        assert store.size_bytes <= 100_000
        for known, at in kept_at.items():
            if store.get(known) is not None:
                assert now - at < 60.0
        if size + ENTRY_BYTES <= 100_000:
            assert store.get(key) is not None


def test_the_least_recently_used_goes_first() -> None:
    store = ResultStore(2, 1_000_000, 60.0, lambda: 0.0)
    store.put("a", result(1))
    store.put("b", result(1))
    assert store.get("a") is not None
    store.put("c", result(1))
    assert store.get("b") is None
    assert store.get("a") is not None


def test_a_store_of_nothing_is_off() -> None:
    for store in (
        ResultStore(0, 1000, 60.0, lambda: 0.0),
        ResultStore(10, 0, 60.0, lambda: 0.0),
        ResultStore(10, 1000, 0.0, lambda: 0.0),
    ):
        store.put("a", result(1))
        assert not store.is_on
        assert store.get("a") is None
