"""The virtual environment with numpy and pandas that programs may import; made once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.bench.bare import PYTHON

from dcodex_worker.provision.make import make
from dcodex_worker.provision.place import MakeError

PACKAGES = ("numpy", "pandas")
#: Importing them all, in seconds.
_TIMEOUT_S = 60.0


class VenvMissing(Exception):
    """It cannot be had here; the message says why, in one line."""


def default_directory() -> Path:
    """Where it is kept between benchmarks."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache, "dcodex-bench").expanduser() / "venv"


def prepare(directory: Path, say: Callable[[str], None]) -> str:
    """Its path, made where it is not there yet; raises VenvMissing."""
    python = directory / "bin" / "python3"
    if not _works(python):
        say(f"making {directory} with {', '.join(PACKAGES)}")
        wanted = ("--quiet", "--only-binary=:all:", *PACKAGES)
        try:
            make(os.path.realpath(directory), PYTHON, wanted, lambda _: None, replace=True)
        except MakeError as error:
            raise VenvMissing(str(error)) from error
    if not _works(python):
        raise VenvMissing(f"{python} cannot import {' and '.join(PACKAGES)}")
    return str(directory)


def _works(python: Path) -> bool:
    line = "import " + ", ".join(PACKAGES)
    try:
        subprocess.run(
            [python, "-I", "-c", line], check=True, capture_output=True, timeout=_TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True
