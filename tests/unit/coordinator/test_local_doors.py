"""Local sockets are out of sight exactly while descriptors are short."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcodex_coordinator.local_doors import SPARE_LEAST, LocalDoors


@pytest.fixture
def limit() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("limit")
def test_they_are_hidden_and_shown_again(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(os.listdir("/proc/self/fd"))
    path = tmp_path / "workers.sock"
    path.touch()
    doors = LocalDoors([f"ipc://{path}", "tcp://127.0.0.1:5"])
    for spare, is_there in (
        (SPARE_LEAST * 2, True),
        (4, False),
        (3, False),
        (SPARE_LEAST * 2, True),
    ):
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + spare, hard))
        doors.look()
        assert path.exists() is is_there


@pytest.mark.usefixtures("limit")
def test_they_have_their_names_back_before_the_end(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    path = tmp_path / "workers.sock"
    path.touch()
    doors = LocalDoors([f"ipc://{path}"])
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")), hard))
    doors.look()
    assert not path.exists()
    doors.show()
    doors.show()
    assert path.exists()
