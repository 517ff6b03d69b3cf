"""A machine that has run out of something: nothing crashes, callers are told, and it passes."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.chaos.parts import Process, Role, parts_of

import dcodex
from dcodex import WorkerState
from dcodex.demo.leftovers import adopting_orphans
from dcodex.demo.preflight import missing_right
from dcodex.testing import Farm

#: For all to be as it was, on a machine that does much else.
PATIENCE_S = 60.0
#: A caller's own patience: the connections of a gateway without descriptors wait for longer.
NEWS_S = 10.0
WORKERS = 2
#: What a disk holds that is soon full, in bytes.
DISK_BYTES = 24 << 20
#: Errors that tell a caller what to do.
CLEAR = (dcodex.Unavailable, dcodex.Exhausted, dcodex.DeadlineExceeded)


@pytest.fixture(scope="module", autouse=True)
def _isolation() -> Iterator[None]:
    right = missing_right()
    if right:
        pytest.skip(right)
    with adopting_orphans():
        yield


@contextlib.contextmanager
def serving(*flags: str) -> Iterator[tuple[Farm, dcodex.Client]]:
    """A farm that must come through unharmed: the same parts, no traceback, an orderly end."""
    with Farm(f"--min_workers={WORKERS}", f"--max_workers={WORKERS}", *flags) as farm:
        with dcodex.connect(farm.target) as client:
            yield farm, client
        assert farm.stop() == 0, farm.log_tail()
        assert "Traceback" not in farm.log.read_text(errors="replace"), farm.log_tail(100)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Look again and again, since nobody tells: processes of others."""
    deadline = time.monotonic() + PATIENCE_S
    never = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        never.wait(0.05)


def ask(client: dcodex.Client, source: str = "print(1)", language: str = "python") -> str:
    """OK, the verdict where the sandbox failed, or the name of a clear error."""
    try:
        result = client.run(source, language=language, cache=False, timeout_s=NEWS_S)
    except CLEAR as error:
        return type(error).__name__
    assert result.ok or result.verdict is dcodex.Verdict.SYSTEM_ERROR, result
    return result.verdict.name


def until_healthy(farm: Farm, client: dcodex.Client) -> None:
    """All workers idle again, each with its process, and programs run."""

    def is_healthy() -> bool:
        try:
            snapshot = next(client.farm(timeout_s=5))
            return [worker.state for worker in snapshot.workers] == [WorkerState.IDLE] * WORKERS
        except dcodex.DCodeXError:
            return False

    wait_for(is_healthy, f"recovery: {farm.log_tail()}")
    for _ in range(2 * WORKERS):
        assert ask(client) == "OK"


def pids(farm: Farm) -> dict[Role, list[int]]:
    """The long-lived parts."""
    found = parts_of(farm.process.pid)
    return {
        role: [p.pid for p in found[role]] for role in (Role.COORDINATOR, Role.GATEWAY, Role.HOST)
    }


# --- disk ------------------------------------------------------------------------------------


@pytest.fixture
def disk() -> Iterator[Path]:
    """A small disk with everything on it that a farm writes: sockets, logs, the compile cache."""
    # Not pytest's directory: the addresses of sockets are short.
    place = Path(tempfile.mkdtemp(prefix="dcx-"))
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "dcodex-test", str(place)],
        check=True,
        timeout=PATIENCE_S,
    )
    before, tempfile.tempdir = tempfile.tempdir, str(place)
    try:
        yield place
    finally:
        tempfile.tempdir = before
        subprocess.run(["umount", "-l", str(place)], check=True, timeout=PATIENCE_S)
        place.rmdir()


def fill(disk: Path) -> Path:
    """Use up every byte; returns the file that does."""
    name = disk / "everything"
    with name.open("wb", buffering=0) as file:
        piece = bytes(1 << 16)
        while True:
            try:
                file.write(piece)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                if len(piece) == 1:
                    return name
                piece = piece[: len(piece) // 2]


def c_program(number: int) -> str:
    return f'#include <stdio.h>\nint main(void) {{ printf("%d\\n", {number}); return 0; }}\n'


def test_a_full_disk_costs_what_is_kept_and_no_program(disk: Path) -> None:
    with serving(f"--compile_cache_dir={disk}/cache") as (farm, client):
        before = pids(farm)
        assert ask(client, c_program(1), "c") == "OK"
        filler = fill(disk)
        for number in range(3):
            assert ask(client, f"print({number})") == "OK"
            assert ask(client, c_program(10 + number), "c") == "OK"
        # Templates and workers that die are replaced, as far as that can be, or later.
        parts = parts_of(farm.process.pid)
        for victim in (*parts[Role.TEMPLATE], *parts[Role.WORKER]):
            os.kill(victim.pid, 9)
        ask(client)
        filler.unlink()
        until_healthy(farm, client)
        assert ask(client, c_program(2), "c") == "OK"
        assert pids(farm) == before, farm.log_tail(80)


# --- processes and memory --------------------------------------------------------------------


class Group:
    """A control group of the test's own, on either version."""

    def __init__(self, controller: str) -> None:
        first = Path("/sys/fs/cgroup", controller)
        self.is_v1 = first.is_dir()
        self.path = (first if self.is_v1 else first.parent) / f"test-scarcity-{os.getpid()}"
        self.path.mkdir()
        #: What is put back there at the end.
        self._members: list[int] = []

    def take(self, process: Process) -> None:
        """Move a process in."""
        (self.path / "cgroup.procs").write_text(str(process.pid))

    def set(self, name: str, value: str) -> None:
        """Write one of its files."""
        (self.path / name).write_text(value)

    def set_lowest(self, name: str, number: int) -> None:
        """The same with this number, or the next power of two times it that the kernel takes.

        It takes no limit on memory below what it cannot get back from who is in there.
        """
        for power in range(16):
            try:
                self.set(name, str(number << power))
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
            else:
                return
        raise AssertionError(f"no {name} can be set")

    def get(self, name: str) -> str:
        """Read one of its files."""
        return (self.path / name).read_text().strip()

    def remove(self) -> None:
        """Let everybody out, and be gone."""
        for pid in self.get("cgroup.procs").split():
            with contextlib.suppress(ProcessLookupError):
                (self.path.parent / "cgroup.procs").write_text(pid)
        wait_for(self._is_removed, "end of the group")

    def _is_removed(self) -> bool:
        try:
            self.path.rmdir()
        except OSError:
            return False
        return True


@contextlib.contextmanager
def confined(farm: Farm, controller: str) -> Iterator[Group]:
    """The host and what it starts in a group."""
    try:
        group = Group(controller)
    except OSError as error:
        pytest.skip(f"no control group for {controller} can be made: {error}")
    try:
        parts = parts_of(farm.process.pid)
        for role in (Role.HOST, Role.NURSERY, Role.TEMPLATE, Role.WORKER):
            for process in parts[role]:
                group.take(process)
        yield group
    finally:
        group.remove()


def kill_workers(farm: Farm) -> None:
    """So that others must be made: those that live need next to nothing more."""
    for worker in parts_of(farm.process.pid)[Role.WORKER]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker.pid, 9)


def test_without_free_process_ids_callers_are_told_and_it_passes() -> None:
    with serving() as (farm, client), confined(farm, "pids") as group:
        before = pids(farm)
        group.set("pids.max", group.get("pids.current"))
        for _ in range(4):
            ask(client)
        kill_workers(farm)
        ask(client)
        group.set("pids.max", "max")
        until_healthy(farm, client)
        assert pids(farm) == before, farm.log_tail(80)


def test_without_memory_for_arming_callers_are_told_and_it_passes() -> None:
    with serving() as (farm, client), confined(farm, "memory") as group:
        limit = "memory.limit_in_bytes" if group.is_v1 else "memory.max"
        group.set_lowest(limit, 128 << 10)
        for _ in range(4):
            ask(client)
        kill_workers(farm)
        ask(client)
        assert int(group.get("memory.failcnt" if group.is_v1 else "memory.current")) > 0
        group.set(limit, "-1" if group.is_v1 else "max")
        until_healthy(farm, client)


# --- descriptors -----------------------------------------------------------------------------


def makes_headers(process: Process) -> bool:
    """Whether it only makes what compiles can do without, and is done with it at any time."""
    with contextlib.suppress(OSError):
        return b"make_headers" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    return True


def limit_files(pid: int) -> tuple[int, int]:
    """Leave a process not one descriptor more than it has; returns what it could have before."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    lowest_free = next(number for number in itertools.count() if number not in used)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest_free, before[1]))
    return before


@pytest.mark.parametrize(
    "role", [Role.GATEWAY, Role.COORDINATOR, Role.HOST, Role.NURSERY, Role.TEMPLATE, Role.WORKER]
)
def test_without_free_descriptors_callers_are_told_and_it_passes(role: Role) -> None:
    with serving() as (farm, client):
        before = pids(farm)
        victims = [one for one in parts_of(farm.process.pid)[role] if not makes_headers(one)]
        limits = {victim.pid: limit_files(victim.pid) for victim in victims}
        for number in range(3):
            with dcodex.connect(farm.target) as another:
                ask(another, f"print({number})")
            ask(client, c_program(number), "c")
        # Who has none must not need one to do without another part, either.
        os.kill(parts_of(farm.process.pid)[Role.WORKER][0].pid, 9)
        ask(client)
        if role in (Role.GATEWAY, Role.HOST):
            os.kill(before[Role.COORDINATOR][0], 9)
            ask(client)
        for pid, limit in limits.items():
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
        until_healthy(farm, client)
        assert pids(farm).get(role) == before.get(role), farm.log_tail(80)
