"""What the benchmark says of memory."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.bench.machine import pss_bytes


@pytest.fixture
def waiting() -> Iterator[tuple[int, int]]:
    """Two processes that wait for ever."""
    pipe = subprocess.PIPE
    with subprocess.Popen(["cat"], stdin=pipe) as one, subprocess.Popen(["cat"], stdin=pipe) as two:
        for process in (one, two):
            while not Path(f"/proc/{process.pid}/syscall").read_text().startswith("0 "):  # read
                os.sched_yield()
        yield one.pid, two.pid


def test_one_memory_counts_once(waiting: tuple[int, int]) -> None:
    one, _ = waiting
    assert pss_bytes([one, one]) == pss_bytes([one]) > 0


def test_two_processes_count_both(waiting: tuple[int, int]) -> None:
    assert pss_bytes(waiting) > 1.5 * min(pss_bytes([pid]) for pid in waiting)


def test_who_has_ended_counts_nothing() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert pss_bytes([ended.pid]) == 0
