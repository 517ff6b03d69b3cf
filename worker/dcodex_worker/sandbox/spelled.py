"""Has a program begin that is spelled out in a message (handover.py): what Python does for it.

Runs in the program's process, which has given up everything.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Any, NoReturn

from dcodex_worker.sandbox import bench, handover, plan, rlimits, wireform
from dcodex_worker.sandbox.errand import Failed


def receive(fds: list[int]) -> dict[str, Any]:
    """Take the program that comes, lay it out; returns for a warm one."""
    launch = _receive_launch()
    tools = None
    if "bench" in launch:
        # Only what may be needed: the worker's next message is the program.
        with contextlib.suppress(OSError):
            rlimits.tighten(launch["cpu_s"], launch["file_size_bytes"], launch["open_files"])
            tools = bench.Bench(launch["bench"], dict(launch["environment"]))
            tools.settle(plan.CHANNEL)
        _close(fds)
        fds = []
        launch = _receive_launch()
    step = "files"
    try:
        _write_files(launch["files"])
        if fds:
            step = "executable"
            _copy_executable(fds[0], launch["path"])
        step = "limits"
        rlimits.tighten(launch["cpu_s"], launch["file_size_bytes"], launch["open_files"])
        if launch["warm"]:
            os.close(plan.CHANNEL)
            return launch
        if tools is not None:
            step = "bench"
            if launch["benched"]:
                tools.finish(launch["foreseen"])
            else:
                tools.clear()
        step = "exec"
        # The interpreter ignores these two; what it starts should not.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        os.execve(launch["path"], launch["argv"], dict(launch["environment"]))
    except OSError as error:
        fail(Failed(step, error.errno or 0))


def _receive_launch() -> dict[str, Any]:
    size = int.from_bytes(wireform.read(plan.CHANNEL, handover.SIZE_BYTES), "little")
    data = wireform.read(plan.CHANNEL, size)
    if not size or len(data) < size:
        os._exit(0)
    launch: dict[str, Any] = wireform.unpack(data)[0]
    return launch


def _write_files(files: list[tuple[str, int, bytes]]) -> None:
    made = set()
    for path, mode, content in files:
        folder = path.rpartition("/")[0]
        if folder and folder not in made:
            os.makedirs(folder, exist_ok=True)
            made.add(folder)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        written = os.write(fd, content)
        while written < len(content):
            written += os.write(fd, memoryview(content)[written:])
        if mode & 0o777 != mode & ~0o022 & 0o777:
            os.fchmod(fd, mode)  # the umask took bits that were asked for
        os.close(fd)


def _copy_executable(source: int, path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # a data file of that name, with rights of its own
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o755)
    offset = 0
    while True:
        count = os.sendfile(target, source, offset, 1 << 30)
        if count == 0:
            break
        offset += count
    os.close(source)
    # Still open for writing it could not be executed.
    os.close(target)


def fail(failure: Failed) -> NoReturn:
    """End this process, before its program began, with words to the worker about why."""
    try:
        os.write(plan.CHANNEL, wireform.pack(wireform.FAILED, failure.step, failure.number))
    finally:
        os._exit(wireform.FAILED_STATUS)


def _close(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
