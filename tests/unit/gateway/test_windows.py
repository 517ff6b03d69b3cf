"""Windows: what stalled readers cost is bounded by them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dcodex_gateway.windows import LEAST_BYTES, SHARED_BYTES, WIDENED_BYTES, Window, Windows
from dcodex_shared.limits import OUTPUT_WINDOW_BYTES, WIDEST_WINDOW_BYTES


def test_one_stream_alone_begins_with_the_full_window() -> None:
    windows = Windows()
    for _ in range(3):
        window = windows.open()
        assert window.first == window.size == OUTPUT_WINDOW_BYTES
        windows.close(window)


def test_many_streams_share_what_is_there_and_none_gets_less_than_the_least() -> None:
    windows = Windows()
    opened = [windows.open().size for _ in range(1000)]
    assert opened == sorted(opened, reverse=True)
    assert opened[-1] == LEAST_BYTES
    assert sum(opened) <= SHARED_BYTES + 1000 * LEAST_BYTES


def test_a_window_is_widened_by_its_size_until_it_is_as_wide_as_any() -> None:
    windows = Windows()
    window = windows.open()
    steps = [windows.widen(window) for _ in range(3)]
    assert steps == [OUTPUT_WINDOW_BYTES, 2 * OUTPUT_WINDOW_BYTES, 0]
    assert window.size == WIDEST_WINDOW_BYTES
    assert window.first == OUTPUT_WINDOW_BYTES


def test_a_reader_among_many_that_stall_still_gets_a_wider_one() -> None:
    windows = Windows()
    for _ in range(1000):
        windows.open()
    reader = windows.open()
    for _ in range(10):
        windows.widen(reader)
    assert reader.size >= OUTPUT_WINDOW_BYTES


@given(st.lists(st.tuples(st.sampled_from("owc"), st.integers(0, 20)), max_size=300))
def test_whatever_the_order_all_is_bounded_and_given_back(steps: list[tuple[str, int]]) -> None:
    windows = Windows()
    opened: list[Window] = []
    for what, which in steps:
        if what == "o":
            opened.append(windows.open())
        elif which < len(opened):
            before = opened[which].size
            if what == "c":
                windows.close(opened.pop(which))
            else:
                assert windows.widen(opened[which]) == opened[which].size - before
        assert sum(one.first for one in opened) <= SHARED_BYTES + len(opened) * LEAST_BYTES
        assert sum(one.size - one.first for one in opened) <= WIDENED_BYTES
    for window in opened:
        windows.close(window)
    fresh = windows.open()
    assert fresh.size == OUTPUT_WINDOW_BYTES
    assert windows.widen(fresh) == OUTPUT_WINDOW_BYTES
