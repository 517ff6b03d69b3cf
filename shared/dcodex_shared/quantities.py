"""Amounts as people write them: "4GB", "64KB", "1s", "250ms"."""

from __future__ import annotations

import math
import re

#: As ulimit, cgroups and the original's flags have it: a KB is 1024 bytes.
_BYTE_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SECOND_UNITS = {"": 1.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "m": 60.0, "min": 60.0, "h": 3600.0}
_AMOUNT = re.compile(r"\s*([0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?)\s*([a-z]*)\s*", re.IGNORECASE)


def parse_bytes(text: str) -> int:
    """Bytes from "4GB", "4GiB", "64k" or "1048576"; ValueError says what is expected."""
    number, unit = _split(text, "a size like 64KB or 4GB")
    unit = unit.removesuffix("b").removesuffix("i") if unit != "b" else unit
    if unit not in _BYTE_UNITS:
        raise ValueError(f"expected a size like 64KB or 4GB, got {text!r}")
    return int(number * _BYTE_UNITS[unit])


def parse_seconds(text: str) -> float:
    """Seconds from "1s", "250ms", "5m" or "1.5"; ValueError says what is expected."""
    number, unit = _split(text, "a duration like 10s or 250ms")
    if unit not in _SECOND_UNITS:
        raise ValueError(f"expected a duration like 10s or 250ms, got {text!r}")
    return number * _SECOND_UNITS[unit]


def parse_count(text: str) -> int:
    """A whole number, not negative."""
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"expected a whole number, got {text!r}") from None
    if number < 0:
        raise ValueError(f"expected a number of at least 0, got {text!r}")
    return number


def parse_port(text: str) -> int:
    """A TCP port; 0 stands for any free one."""
    number = parse_count(text)
    if number > 65535:
        raise ValueError(f"expected a port, 0 to 65535, got {text!r}")
    return number


def parse_share(text: str) -> float:
    """A share of a whole, 0 to 1."""
    number = _number(text)
    if not 0 <= number <= 1:
        raise ValueError(f"expected a share from 0 to 1, got {text!r}")
    return number


def parse_positive(text: str) -> float:
    """A number above 0, and not infinite."""
    number = _number(text)
    if not 0 < number < math.inf:
        raise ValueError(f"expected a number above 0, got {text!r}")
    return number


def parse_switch(text: str) -> bool:
    """true or false, and their usual synonyms."""
    word = text.strip().lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise ValueError(f"expected true or false, got {text!r}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"expected a number, got {text!r}") from None


def _split(text: str, expected: str) -> tuple[float, str]:
    match = _AMOUNT.fullmatch(text)
    if match is None or not math.isfinite(float(match[1])):
        raise ValueError(f"expected {expected}, got {text!r}")
    return float(match[1]), match[2].lower()
