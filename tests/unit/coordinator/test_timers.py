"""Deadlines against a model that looks through all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dcodex_coordinator.timers import SLACK, Timers

steps = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 9), st.floats(0, 100)),
        st.tuples(st.just("clear"), st.integers(0, 9), st.just(0.0)),
        st.tuples(st.just("expire"), st.just(0), st.floats(0, 100)),
    )
)


@given(steps)
def test_deadlines_expire_once_in_order_and_only_when_they_are_due(
    taken: list[tuple[str, int, float]],
) -> None:
    timers: Timers[int] = Timers()
    model: dict[int, float] = {}
    for kind, key, value in taken:
        if kind == "set":
            timers.set(key, value)
            model[key] = value
        elif kind == "clear":
            timers.clear(key)
            model.pop(key, None)
        else:
            expired = timers.expire(value)
            assert set(expired) == {name for name, due in model.items() if due <= value}
            assert [model[name] for name in expired] == sorted(model[name] for name in expired)
            for name in expired:
                del model[name]
        assert timers.next_deadline() == min(model.values(), default=None)
        assert len(timers) == len(model)


def test_deadlines_that_are_moved_for_ever_take_no_memory() -> None:
    timers: Timers[int] = Timers()
    for turn in range(10_000):
        timers.set(turn % 3, 1e9 + turn)
    assert timers.entries() <= 2 * 3 + SLACK + 1
