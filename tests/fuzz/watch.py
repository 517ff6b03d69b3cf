"""A process that is being fuzzed: it must live, answer, and not grow."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.chaos.parts import rss_bytes

MIB = 1 << 20
#: Caches and histograms fill, allocators keep what they had, and as much waits in sockets as
#: their high water lets in from so many enemies: but not more than this.
GROWTH_MOST_BYTES = 256 * MIB
PATIENCE_S = 20.0


class Fuzzed:
    """One process of ours with a runtime directory and a log of its own."""

    def __init__(self, name: str, *flags: str) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="dcodex-fuzz-")
        self.runtime_dir = Path(self._directory.name)
        self.log = self.runtime_dir / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", f"dcodex_{name}"),
                    *(f"--runtime_dir={self.runtime_dir}", "--log_level=error", *flags),
                ],
                stderr=log,
                env={k: v for k, v in os.environ.items() if not k.startswith("DCODEX_")},
            )
        self._first = 0

    def mark(self) -> None:
        """From here on it may not grow."""
        self._first = rss_bytes(self.process.pid)

    def check(self) -> None:
        """Assert that it lives, has logged no error of its own and has not grown."""
        assert self.process.poll() is None, f"it died: {self.words()}"
        grown = rss_bytes(self.process.pid) - self._first
        assert grown <= GROWTH_MOST_BYTES, f"it grew by {grown / MIB:.1f} MiB"
        assert "Traceback" not in self.words(), self.words()

    def words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-5000:]

    def ready(self, port: int) -> bool:
        """What it says of itself."""
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE_S) as it:
            return bool(it.status == 200)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._directory.cleanup()
