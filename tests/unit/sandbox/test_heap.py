"""A heap that lies in a sealed file: what comes to lie there, and that it still is a heap."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
from pathlib import Path

import pytest
from tests.unit.sandbox.alone import alone

from dcodex_worker.sandbox import kernel
from dcodex_worker.template import heap

_MANY = 200_000
_FILE = "/memfd:heap (deleted)"


@alone
def test_only_what_is_allocated_meanwhile_comes_into_the_heap() -> None:
    with heap.gathered():
        inside = _objects()
    outside = _objects()
    (where,) = _named("[heap]")
    assert _share_in(inside, where) > 0.9
    assert _share_in(outside, where) < 0.5


@alone
def test_a_shared_heap_is_in_a_file_that_nobody_changes_and_reads_as_before() -> None:
    with heap.gathered():
        objects = _objects()
    before = _named("[heap]")
    heap.share(_maps())
    (where,) = _named(_FILE)
    assert [where] == before
    assert objects == _objects()
    with pytest.raises(PermissionError):
        # The way of root to a mapped file: that it is sealed keeps it from being written.
        os.pwrite(os.open(f"/proc/self/map_files/{where[0]:x}-{where[1]:x}", os.O_RDWR), b"x", 0)


@alone
def test_what_a_fork_writes_to_a_shared_heap_is_its_own() -> None:
    with heap.gathered():
        objects = _objects()
    heap.share(_maps())
    assert _named(_FILE)
    reader, writer = os.pipe()
    if (pid := kernel.fork()) == 0:
        objects[:] = ["changed"] * _MANY
        os.write(writer, str(len(objects)).encode())
        os._exit(0)
    assert os.read(reader, 100) == str(_MANY).encode()
    assert os.waitpid(pid, 0)[1] == 0
    assert objects == _objects()


@alone
def test_a_shared_heap_shrinks_and_grows() -> None:
    with heap.gathered():
        objects = _objects()
    heap.share(_maps())
    assert _named(_FILE)
    for _ in range(3):
        # Empty arenas go back to the system, out of the middle of the heap.
        objects.clear()
        gc.collect()
        blocks = [bytearray(size) for size in range(1000, 200_000, 1000)]
        assert not any(map(any, blocks))
        objects = _objects()
        ctypes.CDLL(None).malloc_trim(0)
        del blocks
    assert objects == _objects()


@alone
def test_a_heap_that_cannot_be_copied_stays_what_it_is() -> None:
    before = _named("[heap]")
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    heap.share(_maps())
    assert _named("[heap]") == before
    assert not _named(_FILE)


def _objects() -> list[str]:
    return [f"{number} of them" for number in range(_MANY)]


def _share_in(objects: list[str], where: tuple[int, int]) -> float:
    return sum(where[0] <= id(one) < where[1] for one in objects) / len(objects)


def _maps() -> int:
    return os.open("/proc/self/maps", os.O_RDONLY | os.O_CLOEXEC)


def _named(name: str) -> list[tuple[int, int]]:
    found = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith(f" {name}"):
            start, _, end = line.split()[0].partition("-")
            found.append((int(start, 16), int(end, 16)))
    return found
