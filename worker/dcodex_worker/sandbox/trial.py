"""Runs one stage to its end without a farm: for the doctor and for tests of the sandbox alone."""

from __future__ import annotations

import os
import select
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dcodex_worker.runtimes.stage import Stage

#: The most that is read of either stream, in bytes.
MAX_OUTPUT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class End:
    """How it ended."""

    #: The raw wait status; None: the sandbox was lost, or killed at its wall limit.
    status: int | None
    stdout: bytes
    stderr: bytes


def run_to_end(stage: Stage, stdin: bytes = b"") -> End:
    """Launch, read everything, wait; kills at the wall limit. The caller destroys the sandbox."""
    sandbox = stage.sandbox
    sandbox.launch(stage.launch)
    if stdin:
        os.write(sandbox.stdin, stdin)
    sandbox.close_stdin()
    deadline = time.monotonic() + stage.launch.limits.wall_s
    output = {sandbox.stdout: b"", sandbox.stderr: b""}
    waiting = {sandbox.stdout, sandbox.stderr, sandbox.status}
    status: int | None = None
    while waiting:
        poll = select.poll()
        for fd in waiting | {sandbox.listener} - {-1}:
            poll.register(fd, select.POLLIN)
        events = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        if not events:
            sandbox.kill()
            deadline = time.monotonic() + stage.launch.limits.wall_s
        for fd, happened in events:
            if fd == sandbox.listener:
                sandbox.answer(happened)
                continue
            if fd == sandbox.status:
                status = sandbox.exit_status()
                waiting.discard(fd)
                continue
            data = os.read(fd, 65536)
            output[fd] = (output[fd] + data)[:MAX_OUTPUT_BYTES]
            if not data:
                waiting.discard(fd)
    return End(status, output[sandbox.stdout], output[sandbox.stderr])
