"""What the keeper answers to a program that sets its limit on core dumps."""

from __future__ import annotations

import errno

import pytest

from dcodex_worker.sandbox import core_dumps

NO_LIMIT = (1 << 64) - 1


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        (core_dumps.LIMIT.pack(0, 0), 0),
        (core_dumps.LIMIT.pack(0, 1), errno.EPERM),
        (core_dumps.LIMIT.pack(1, 1), errno.EPERM),
        (core_dumps.LIMIT.pack(NO_LIMIT, NO_LIMIT), errno.EPERM),
        (core_dumps.LIMIT.pack(1, 0), errno.EINVAL),
        (b"", errno.EFAULT),
        (b"short", errno.EFAULT),
    ],
)
def test_core_dumps_stay_forbidden(wanted: bytes, answer: int) -> None:
    assert core_dumps.decide(wanted) == answer
