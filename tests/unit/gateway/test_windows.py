"""Windows: what stalled readers cost is bounded by them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dcodex_gateway.windows import LEAST_BYTES, SHARED_BYTES, Windows
from dcodex_shared.limits import OUTPUT_WINDOW_BYTES


def test_one_stream_alone_gets_the_full_window() -> None:
    windows = Windows()
    for _ in range(3):
        window = windows.open()
        assert window == OUTPUT_WINDOW_BYTES
        windows.close(window)


def test_many_streams_share_what_is_there_and_none_gets_less_than_the_least() -> None:
    windows = Windows()
    opened = [windows.open() for _ in range(1000)]
    assert opened == sorted(opened, reverse=True)
    assert opened[-1] == LEAST_BYTES
    assert sum(opened) <= SHARED_BYTES + 1000 * LEAST_BYTES


@given(st.lists(st.integers(min_value=-1, max_value=20), max_size=200))
def test_whatever_the_order_of_their_ends_all_is_given_back(steps: list[int]) -> None:
    windows = Windows()
    opened: list[int] = []
    for step in steps:
        if 0 <= step < len(opened):
            windows.close(opened.pop(step))
        else:
            opened.append(windows.open())
        assert sum(opened) <= SHARED_BYTES + len(opened) * LEAST_BYTES
    for window in opened:
        windows.close(window)
    assert windows.open() == OUTPUT_WINDOW_BYTES
