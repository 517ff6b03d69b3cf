"""Limits: what a request asks for, over what the operator gives, below what the operator allows."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_shared.errors import Reason, Rejected
from dcodex_shared.limits import (
    DEFAULT_CEILING,
    DEFAULT_LIMITS,
    MINIMUM_LIMITS,
    Limits,
    resolve,
)

NAMES = [field.name for field in fields(Limits)]


def test_nothing_asked_is_the_default() -> None:
    assert resolve({}, DEFAULT_LIMITS, DEFAULT_CEILING) == DEFAULT_LIMITS


def test_a_default_above_the_ceiling_is_lowered_to_it() -> None:
    ceiling = replace(DEFAULT_CEILING, wall_s=2.0)
    assert resolve({}, DEFAULT_LIMITS, ceiling).wall_s == 2.0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, -1, -0.5, math.nan, math.inf, -math.inf, 1e300])
def test_a_limit_that_is_none_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(Rejected, match=rf"limits\.{name}") as refused:
        resolve({name: value}, DEFAULT_LIMITS, DEFAULT_CEILING)
    assert refused.value.reason is Reason.INVALID_ARGUMENT


@pytest.mark.parametrize("name", NAMES)
def test_the_ceiling_and_the_minimum_may_be_asked_for_and_no_more(name: str) -> None:
    most, least = getattr(DEFAULT_CEILING, name), getattr(MINIMUM_LIMITS, name)
    for value in (most, least):
        given_ = resolve({name: value}, DEFAULT_LIMITS, DEFAULT_CEILING)
        assert getattr(given_, name) == value
    for value in (most + 1, least / 2):
        with pytest.raises(Rejected):
            resolve({name: value}, DEFAULT_LIMITS, DEFAULT_CEILING)


@given(st.dictionaries(st.sampled_from(NAMES), st.floats() | st.integers(-(2**40), 2**40)))
def test_what_comes_out_is_always_within_bounds(asked: dict[str, float]) -> None:
    try:
        limits = resolve(asked, DEFAULT_LIMITS, DEFAULT_CEILING)
    except Rejected:
        return
    for name in NAMES:
        value = getattr(limits, name)
        assert getattr(MINIMUM_LIMITS, name) <= value <= getattr(DEFAULT_CEILING, name)
        assert type(value) is type(getattr(DEFAULT_LIMITS, name))
