"""A part of the farm that is told to end, at any moment of its life, ends well and says nothing."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dcodex_shared import stopping

#: Longer than any start and end here, on a busy machine.
PATIENCE_S = 60.0
#: Moments of a start at which it is told to end, spread over what one start took.
MOMENTS = 12
#: How often it is told, to be told at every moment of its end.
HAIL_S = 0.0005

PARTS = ("dcodex_gateway", "dcodex_coordinator", "dcodex_worker")
#: What each says when it is all there.
SERVES = {
    "dcodex_gateway": b"serving metrics",
    "dcodex_coordinator": b"ready",
    "dcodex_worker": b"serving metrics",
}
#: What can be seen of a start from outside, in this order: what is mapped, and how many threads.
STAGES = {
    "dcodex_gateway": ("cygrpc", "_zmq", "uvloop", 2),
    "dcodex_coordinator": ("_zmq", 2),
    "dcodex_worker": ("_zmq", 2),
}
SIGNALS = pytest.mark.parametrize("number", stopping.STOPS, ids=lambda number: number.name)
_NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for sandboxes")
ALL = pytest.mark.parametrize(
    "module", [pytest.param(m, marks=_NEEDS_ROOT if "worker" in m else ()) for m in PARTS]
)


class Part:
    """One process; its log is in a file, which nobody needs to read for it to go on."""

    def __init__(self, module: str, directory: Path) -> None:
        self.module = module
        self._log = directory / "log"
        flags = [f"--runtime_dir={directory / 'run'}", "--metrics_port=0"]
        if module == "dcodex_gateway":
            flags.append("--port=0")
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, *flags], stderr=log, process_group=0
            )

    @property
    def log(self) -> bytes:
        return self._log.read_bytes()

    def await_that(self, what: Callable[[], bool]) -> None:
        """Look for it until it is so, or the process has ended."""
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and not what():
            assert time.monotonic() < deadline, self.log

    def await_handlers(self) -> None:
        """Until it has said what the signals are to do."""
        self.await_that(lambda: _catches(self.process.pid, stopping.STOPS))

    def await_service(self) -> None:
        """Until it is all there."""
        self.await_that(lambda: SERVES[self.module] in self.log)
        assert self.process.poll() is None, self.log

    def must_end(self) -> None:
        """It ends, as one that was told to, and leaves nothing but its words."""
        status = self.process.wait(PATIENCE_S)
        assert (status, b"Traceback" in self.log) == (0, False), self.log
        assert not _groups_of(self.process.pid)


@contextlib.contextmanager
def part(module: str, directory: Path) -> Iterator[Part]:
    """A process of the farm that does not outlive this."""
    started = Part(module, directory)
    try:
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.process.pid, signal.SIGKILL)
        started.process.wait()


def _catches(pid: int, numbers: tuple[signal.Signals, ...]) -> bool:
    match = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.M)
    caught = int(match[1], 16) if match else 0
    return all(caught >> (number - 1) & 1 for number in numbers)


def _has(pid: int, stage: str | int) -> bool:
    if isinstance(stage, int):
        return len(os.listdir(f"/proc/{pid}/task")) >= stage
    return stage in Path(f"/proc/{pid}/maps").read_text()


def _groups_of(pid: int) -> list[str]:
    return [
        directory
        for directory, _, _ in os.walk("/sys/fs/cgroup")
        if os.path.basename(directory) in (f"dcodex-{pid}", f"dcodex-survey-{pid}")
    ]


@SIGNALS
@ALL
def test_one_whose_signals_are_held_for_it_hears_of_them_however_early_they_come(
    module: str, number: signal.Signals, tmp_path: Path
) -> None:
    stopping.hold()
    try:
        with part(module, tmp_path) as started:
            # What it runs now is not even Python yet.
            started.process.send_signal(number)
            started.must_end()
            assert started.log == b""
    finally:
        stopping.release()


@SIGNALS
@pytest.mark.parametrize(
    ("module", "stage"),
    [
        pytest.param(module, stage, marks=_NEEDS_ROOT if "worker" in module else ())
        for module, stages in STAGES.items()
        for stage in stages
    ],
)
def test_one_that_is_told_to_end_while_it_starts_ends_well(
    module: str, stage: str | int, number: signal.Signals, tmp_path: Path
) -> None:
    with part(module, tmp_path) as started:
        started.await_handlers()
        started.await_that(lambda: _has(started.process.pid, stage))
        started.process.send_signal(number)
        started.must_end()


@ALL
def test_no_moment_of_a_start_is_a_wrong_one_to_be_told(module: str, tmp_path: Path) -> None:
    with part(module, tmp_path) as started:
        started.await_handlers()
        begun = time.monotonic()
        started.await_service()
        took_s = time.monotonic() - begun
        started.process.send_signal(signal.SIGTERM)
        started.must_end()
    for moment in range(MOMENTS):
        with part(module, tmp_path) as started:
            started.await_handlers()
            # Where in its start that is, is another place each time; all have to be right.
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.process.wait(took_s * moment / MOMENTS)
            started.process.send_signal(stopping.STOPS[moment % 2])
            started.must_end()


@SIGNALS
@ALL
def test_one_that_is_told_again_and_again_ends_well(
    module: str, number: signal.Signals, tmp_path: Path
) -> None:
    with part(module, tmp_path) as started:
        started.await_service()
        ended = os.pidfd_open(started.process.pid)
        deadline = time.monotonic() + PATIENCE_S
        try:
            while not select.select((ended,), (), (), HAIL_S)[0]:
                started.process.send_signal(number)
                assert time.monotonic() < deadline, started.log
        finally:
            os.close(ended)
        started.must_end()
