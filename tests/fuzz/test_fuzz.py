"""A little of what `python -m tests.fuzz` does for long: each target, from a seed of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.fuzz import codec, coordinator, gateway, public_port

#: Of each; the frames that go in it are some ten thousand.
SECONDS = 4.0


@pytest.mark.parametrize(
    "target",
    [codec.fuzz, coordinator.fuzz, gateway.fuzz, public_port.fuzz],
    ids=lambda f: f.__module__,
)
def test_nothing_falls_over_hangs_or_grows_by_what_an_enemy_says(
    target: Callable[[int, float], int],
) -> None:
    assert target(20260101, SECONDS) > 100
