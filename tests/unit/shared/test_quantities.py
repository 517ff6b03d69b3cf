"""Amounts as people write them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_shared.quantities import parse_bytes, parse_count, parse_seconds, parse_switch


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("1", 1),
        ("12b", 12),
        ("64KB", 65536),
        ("64k", 65536),
        ("64 KiB", 65536),
        ("4GB", 4 << 30),
        ("1.5m", 3 << 19),
        (" 2TB ", 2 << 40),
    ],
)
def test_sizes_are_read(text: str, value: int) -> None:
    assert parse_bytes(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1.0), ("10s", 10.0), ("250ms", 0.25), ("5m", 300.0), ("1h", 3600.0), ("1e-3s", 0.001)],
)
def test_durations_are_read(text: str, value: float) -> None:
    assert parse_seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "x", "-1", "1xb", "4 G B", "nan", "inf", "1e999", "0x10"])
def test_what_is_no_amount_is_a_value_error(text: str) -> None:
    for parse in (parse_bytes, parse_seconds):
        with pytest.raises(ValueError, match="expected"):
            parse(text)


@given(st.text(max_size=12))
def test_no_text_is_another_error(text: str) -> None:
    for parse in (parse_bytes, parse_seconds, parse_count, parse_switch):
        with contextlib.suppress(ValueError):
            parse(text)


@pytest.mark.parametrize("text", ["-1", "1.5", "many", ""])
def test_a_count_is_whole_and_not_negative(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_count(text)


def test_switches_have_their_usual_words() -> None:
    assert all(map(parse_switch, ("true", "YES", "on", "1")))
    assert not any(map(parse_switch, ("false", "No", "off", "0")))
    with pytest.raises(ValueError, match="true or false"):
        parse_switch("maybe")
