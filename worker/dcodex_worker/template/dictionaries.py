"""Exchanges two dictionaries' contents without touching what is in them.

Even to take an object out of a dictionary writes into its reference count, hence its page, which
a fork shares with its template: for some hundred modules that costs more than importing one.
"""

from __future__ import annotations

import ctypes
from typing import Any

_HEAD = object.__basicsize__
_SIZE = dict.__basicsize__ - _HEAD


def exchange(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Exchange the contents of two dictionaries: all that follows the head of the objects."""
    first, second = id(one) + _HEAD, id(other) + _HEAD
    content = ctypes.string_at(first, _SIZE)
    ctypes.memmove(first, second, _SIZE)
    ctypes.memmove(second, content, _SIZE)
