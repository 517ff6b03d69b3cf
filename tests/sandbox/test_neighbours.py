"""Two programs, one after the other or at one time: neither learns of the other."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.sandbox.conftest import HELLO, Lab
from tests.sandbox.corpus import ATTACKS_DIR, MIB

from dcodex import Limits, Stdout, Verdict

pytestmark = pytest.mark.timeout(180)


def _files(name: str) -> dict[str, bytes]:
    return {
        "main.py": (ATTACKS_DIR / name).read_bytes(),
        "probe.py": (ATTACKS_DIR / "probe.py").read_bytes(),
    }


def test_nothing_that_a_program_left_is_there_for_the_next(lab: Lab) -> None:
    for _ in range(2):
        left = lab.client.run(
            files=_files("leave_everything.py"), entry_point="main.py", args=["0"], cache=False
        )
        assert left.verdict is Verdict.OK, left
        assert left.stdout.startswith(b"READY"), left
    # More often than there are workers, so that the one that ran it is among them.
    for _ in range(12):
        found = lab.client.run(files=_files("find_left.py"), entry_point="main.py", cache=False)
        assert found.stdout.startswith(b"CONTAINED"), found.text


def test_a_program_sees_nothing_of_a_neighbour(lab: Lab) -> None:
    with lab.client.execute(
        files=_files("leave_everything.py"),
        entry_point="main.py",
        args=["6"],
        cache=False,
        limits=Limits(wall_s=20.0),
    ) as neighbour:
        for event in neighbour:
            if isinstance(event, Stdout) and event.data.startswith(b"READY"):
                break
        for _ in range(4):
            found = lab.client.run(files=_files("find_left.py"), entry_point="main.py", cache=False)
            assert found.stdout.startswith(b"CONTAINED"), found.text


def test_watching_shared_files_tells_nothing_of_a_neighbour(lab: Lab) -> None:
    with lab.client.execute(
        files=_files("watch_neighbours.py"), entry_point="main.py", cache=False
    ) as watcher:
        seen = b""
        for event in watcher:
            if isinstance(event, Stdout):
                seen += event.data
                break
        noise = lab.client.run(files=_files("touch_shared.py"), entry_point="main.py", cache=False)
        assert noise.stdout == b"CONTAINED\n", noise
        result = watcher.result()
    assert b"CONTAINED" in seen + result.stdout, result.text


def test_a_program_cannot_drop_what_others_have_read_from_memory(lab: Lab) -> None:
    path = max(Path("/usr/bin").resolve().iterdir(), key=lambda path: path.stat().st_size)
    path.read_bytes()

    def kept() -> int:
        """Bytes of it that are in memory."""
        command = ("fincore", "--bytes", "--noheadings", "--output", "RES", str(path))
        return int(subprocess.run(command, capture_output=True, check=True, timeout=10).stdout)

    before = kept()
    source = (
        f"import os; fd = os.open({str(path)!r}, os.O_RDONLY)\n"
        "os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)\n"
    )
    assert lab.client.run(source, cache=False).verdict is Verdict.OK
    assert before > 0
    assert kept() == before


def test_both_of_two_neighbours_bind_the_same_port(lab: Lab) -> None:
    source = (
        "import socket, time\n"
        "for s, a in ((socket.socket(), ('0.0.0.0', 8080)),"
        " (socket.socket(socket.AF_UNIX), '\\0dcodex')):\n"
        "    s.bind(a); s.listen()\n"
        "print('bound', flush=True); time.sleep(1)\n"
    )
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(lab.client.run, source, cache=False) for _ in range(2)]
        for run in runs:
            assert run.result(60).stdout == b"bound\n", run.result()


def test_programs_at_one_time_have_different_uids_outside(lab: Lab) -> None:
    source = "import time; print(open('/proc/self/uid_map').read()); time.sleep(1)"
    with ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(lab.client.run, source, cache=False) for _ in range(3)]
        outer = [int(run.result(60).stdout.split()[1]) for run in runs]
    assert 0 not in outer
    assert len(set(outer)) == 3


def test_what_was_seeded_before_the_fork_differs_between_runs(lab: Lab) -> None:
    lines = {
        lab.client.run(files=_files("seeds.py"), entry_point="main.py", cache=False).stdout
        for _ in range(8)
    }
    assert len(lines) == 8


def test_a_hello_after_a_hundred_others_is_still_alone(lab: Lab) -> None:
    with ThreadPoolExecutor(4) as pool:
        runs = [
            pool.submit(lab.client.run, HELLO, cache=False, limits=Limits(memory_bytes=128 * MIB))
            for _ in range(100)
        ]
        assert all(run.result(60).stdout == b"hello\n" for run in runs)


def test_memory_that_outlived_its_program_is_not_the_next_one_s(lab: Lab) -> None:
    hog, little = Limits(memory_bytes=512 * MIB), Limits(memory_bytes=48 * MIB)
    for _ in range(8):
        full = lab.client.run(
            files=_files("fill_then_die.py"), entry_point="main.py", limits=hog, cache=False
        )
        assert full.verdict is Verdict.SIGNALED, full
        for _ in range(2):
            hello = lab.client.run(HELLO, limits=little, cache=False)
            assert (hello.verdict, hello.stdout) == (Verdict.OK, b"hello\n"), hello
            assert hello.usage.peak_memory_bytes < 40 * MIB, hello
