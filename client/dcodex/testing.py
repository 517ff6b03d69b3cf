"""A farm of the caller's own, for tests: `dcodex up` as a child, until it is ready and gone.

with Farm("--min_workers=2") as farm, dcodex.connect(farm.target) as client:
    assert client.run("print(1)").text == "1\\n"
"""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

#: Compilers are tried and templates warmed before the first worker is armed.
STARTUP_S = 150.0
#: What may still run, and the margin that `dcodex up` gives its parts.
STOP_S = 90.0
_READY = re.compile(r"ready on (\S+) \((.*)\)")


class FarmFailed(Exception):
    """It did not start; the message holds the end of its log."""


class Farm:
    """One farm on a free port, with a runtime directory of its own."""

    def __init__(self, *flags: str) -> None:
        #: For what it may leave, were it broken: removed at the end.
        self.directory = Path(tempfile.mkdtemp(prefix="dcodex-"))
        self.runtime_dir = self.directory / "run"
        self.log = self.directory / "log"
        command = [sys.executable, "-P", "-m", "dcodex", "up", "--port=0", "--while_stdin", *flags]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, f"--runtime_dir={self.runtime_dir}"],
                # Never written to: it ends with this process, however that ends, and the farm too.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # Ctrl-C is for whoever owns the farm, who then stops it.
                process_group=0,
            )
        #: HOST:PORT and the words in the ready line's brackets.
        self.target, self.words = self._await_ready()

    def stop(self) -> int:
        """End it as an operator does; returns its exit status, and removes its directory."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        return status

    def remove(self) -> None:
        """Remove what is left of its directory."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def log_tail(self, lines: int = 20) -> str:
        """The end of what its parts logged."""
        text = self.log.read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self.remove()

    def _await_ready(self) -> tuple[str, str]:
        line = self._read_line()
        match = _READY.fullmatch(line.strip())
        if match is None:
            self.process.kill()
            self.stop()
            tail = self.log_tail()
            self.remove()
            raise FarmFailed(tail or f"dcodex up said {line!r}")
        return match[1], match[2]

    def _read_line(self) -> str:
        """Its first line; what came so far where it ended or took too long."""
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        deadline = time.monotonic() + STARTUP_S
        data = b""
        while not data.endswith(b"\n"):
            left_s = max(0.0, deadline - time.monotonic())
            if not select.select((descriptor,), (), (), left_s)[0]:
                break
            piece = os.read(descriptor, 4096)
            if not piece:
                break
            data += piece
        return data.decode(errors="replace")


def quiet_flags(workers: int) -> Sequence[str]:
    """The flags of a farm that says only what is wrong."""
    return (f"--min_workers={workers}", f"--max_workers={workers}", "--log_level=warning")
