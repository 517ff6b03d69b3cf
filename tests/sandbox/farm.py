"""A real farm for the tests: started as an operator would, spoken to by the SDK."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import dcodex

#: Templates warm up and compilers are tried before the first worker is armed.
START_S = 90.0
#: Running programs are cut short by the drain grace below.
STOP_S = 30.0


class FarmFailed(Exception):
    """The farm did not start or stop as it should; the message ends with its log."""


class Farm:
    """`dcodex up` in a runtime directory of its own. Use it as a context manager."""

    def __init__(
        self, workers: int, *flags: str, environment: dict[str, str] | None = None
    ) -> None:
        self._flags = (f"--min_workers={workers}", f"--max_workers={workers}", *flags)
        self._environment = environment or {}
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        #: HOST:PORT once started.
        self.target = ""
        #: The farm's first process; everything else of it descends from this one.
        self.pid = 0
        #: Where its sockets are.
        self.runtime_dir = ""
        #: What its processes wrote to stderr.
        self.log = Path()

    def __enter__(self) -> Self:
        self._scratch = tempfile.TemporaryDirectory(prefix="dcodex-test-")
        scratch = Path(self._scratch.name)
        self.runtime_dir = str(scratch / "run")
        self.log = scratch / "log"
        command = [
            *(sys.executable, "-P", "-m", "dcodex", "up"),
            *("--port=0", f"--runtime_dir={self.runtime_dir}"),
            *(f"--compile_cache_dir={scratch / 'cache'}", "--drain_grace=2s"),
            *self._flags,
        ]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self._environment},
                cwd="/",
            )
        self.pid = self._process.pid
        try:
            self.target = self._await_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def connect(self) -> dcodex.Client:
        """A client of this farm."""
        return dcodex.connect(self.target)

    def stop(self) -> int:
        """SIGTERM, and the exit status; FarmFailed when it does not end in time."""
        process, self._process = self._process, None
        if process is None:
            return 0
        assert process.stdout is not None
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise FarmFailed(f"the farm did not stop within {STOP_S} s\n{self.tail()}") from None
        finally:
            process.stdout.close()
            if self._scratch is not None:
                self._scratch.cleanup()
        return status

    def tail(self) -> str:
        """The last of the log."""
        try:
            return self.log.read_text(errors="replace")[-4000:]
        except OSError:
            return ""

    def _await_ready(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        seen, deadline = b"", time.monotonic() + START_S
        while b"\n" not in seen:
            left = deadline - time.monotonic()
            readable = select.select([self._process.stdout], [], [], max(left, 0))[0]
            piece = os.read(self._process.stdout.fileno(), 4096) if readable else b""
            if not piece:
                raise FarmFailed(f"the farm did not become ready: {seen!r}\n{self.tail()}")
            seen += piece
        words = seen.decode().split()
        if words[:2] != ["ready", "on"]:
            raise FarmFailed(f"the farm said {seen!r}\n{self.tail()}")
        return words[2]
