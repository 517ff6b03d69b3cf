"""The cache of compiled programs, on a real file system."""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcodex_worker.runtimes.compile_cache import CompileCache

MIB = 1 << 20


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dcodex-cache-") as folder:
        yield Path(folder)


def put(cache: CompileCache, key: str, content: bytes) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        cache.store(key, file.fileno())


def taken(cache: CompileCache, key: str) -> bytes | None:
    fd = cache.open(key)
    if fd < 0:
        return None
    with open(fd, "rb") as file:
        return file.read()


def test_what_was_stored_is_there_whole(directory: Path) -> None:
    cache = CompileCache(str(directory), 64 * MIB)
    program = os.urandom(3 * MIB + 17)
    put(cache, "key", program)
    assert taken(cache, "key") == program
    assert taken(cache, "other") is None


def test_a_damaged_program_is_not_run_and_forgotten(directory: Path) -> None:
    cache = CompileCache(str(directory), 64 * MIB)
    put(cache, "key", b"program")
    (directory / "key").write_bytes(b"another")
    assert taken(cache, "key") is None
    assert list(directory.iterdir()) == []


def test_the_least_used_go_when_there_is_too_much(directory: Path) -> None:
    cache = CompileCache(str(directory), 8 * MIB)
    for number in range(64):
        put(cache, f"key-{number:03}", os.urandom(MIB // 4))
        os.utime(directory / f"key-{number:03}", (number, number))
    left = sorted(path.name for path in directory.iterdir() if path.suffix != ".sha256")
    assert "key-063" in left
    assert "key-000" not in left
    assert sum(path.stat().st_size for path in directory.iterdir()) <= 8.5 * MIB


def test_small_programs_are_not_counted_each_time(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    scan = os.scandir

    def look(path: str) -> object:
        looks.append(path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", look)
    cache = CompileCache(str(directory), 64 * MIB)
    for number in range(60):
        put(cache, f"key-{number}", os.urandom(16 << 10))
    assert 1 <= len(looks) <= 3


def test_a_large_program_is_never_in_memory_as_a_whole(directory: Path) -> None:
    cache = CompileCache(str(directory), 2048 * MIB)
    with tempfile.TemporaryFile() as file:
        file.truncate(96 * MIB)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        cache.store("key", file.fileno())
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (directory / "key").stat().st_size == 96 * MIB
    assert grown_kib < 16 << 10
