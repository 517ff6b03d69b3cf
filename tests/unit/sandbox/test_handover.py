"""What has a program begin: lists that its process makes, and messages that Python reads."""

from __future__ import annotations

import ctypes
import os
import resource
import tempfile
from pathlib import Path

import pytest
from tests.unit.sandbox.alone import alone

from dcodex_worker.sandbox import handover, rlimits
from dcodex_worker.sandbox.errand import END, Number, make, number_at, result_at
from dcodex_worker.sandbox.handover import HEAD, LIST_BYTES, Doors

FILE = ("main.py", 0o644, b"print('hello')\n")


def _doors(room: int = 1 << 20) -> Doors:
    return Doors(first=1, later=2, direct=3, spelled=4, room=room, environment=(), any_name=True)


def _received(message: bytes, doors: Doors) -> bytes:
    """The list of a message, whose head says where it goes."""
    where, room, size = HEAD.unpack_from(message)
    assert (where, room, size) == (doors.direct, doors.room, len(message) - HEAD.size)
    return message[HEAD.size :]


@alone
def test_a_list_writes_its_files_sets_its_limits_and_closes_the_channel() -> None:
    channel = os.dup(0)
    fd = os.dup(0)
    os.close(fd)
    room = ctypes.create_string_buffer(LIST_BYTES)
    doors = _doors(ctypes.addressof(room))
    limits = rlimits.of_request(cpu_s=1.5, file_size_bytes=1 << 20, open_files=100)
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        message = handover.direct(doors, [FILE, ("data", 0o600, b"")], limits, fd, channel)
        assert message is not None
        text = _received(message, doors)
        ctypes.memmove(room, text, len(text))
        assert make(doors.room) is None
        assert Path("main.py").read_bytes() == FILE[2]
        assert Path("main.py").stat().st_mode & 0o777 == 0o644
        assert Path("data").stat().st_mode & 0o777 == 0o600
    # A second more than was asked for, which is whole seconds.
    assert resource.getrlimit(resource.RLIMIT_CPU) == (3, 3)
    assert resource.getrlimit(resource.RLIMIT_FSIZE) == (1 << 20, 1 << 20)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (100, 100)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(channel)


@alone
def test_a_list_that_cannot_write_says_so_and_leaves_the_channel_open() -> None:
    channel = os.dup(0)
    fd = os.dup(0)
    os.close(fd)
    room = ctypes.create_string_buffer(LIST_BYTES)
    doors = _doors(ctypes.addressof(room))
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        Path("main.py").touch()
        message = handover.direct(doors, [FILE], (), fd, channel)
        assert message is not None
        text = _received(message, doors)
        ctypes.memmove(room, text, len(text))
        stop = make(doors.room)
    assert stop is not None
    assert (number_at(stop), result_at(stop)) == (Number.OPENAT, -17)
    failure = handover.failure(stop)
    assert (failure.step, failure.number) == ("files", 17)
    os.fstat(channel)


@pytest.mark.parametrize(
    "file",
    [
        ("folder/main.py", 0o644, b""),
        ("main.py", 0o666, b""),
        ("main.py", 0o4755, b""),
        ("main.py", 0o644, bytes(LIST_BYTES)),
    ],
    ids=["in a folder", "for the group to write", "set-uid", "too large"],
)
def test_what_a_list_cannot_do_is_spelled(file: tuple[str, int, bytes]) -> None:
    assert handover.direct(_doors(), [file], (), 4, 3) is None


def test_a_list_that_leaves_the_channel_open_is_of_the_same_length() -> None:
    closing = handover.direct(_doors(), [FILE], (), 4, 3)
    leaving = handover.direct(_doors(), [FILE], (), 4, -1)
    assert closing is not None
    assert leaving is not None
    assert len(closing) == len(leaving)
    assert closing.count(END) + 1 == leaving.count(END)


def test_a_spelled_message_has_its_size_behind_the_head() -> None:
    message = handover.spelled(_doors(), b"body")
    assert message == HEAD.pack(4, 0, 0) + (4).to_bytes(8, "little") + b"body"
    assert message.endswith(handover.sized(b"body"))
