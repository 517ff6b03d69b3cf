"""The virtual environment with numpy and pandas that programs may import; made once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.bench.bare import PYTHON

PACKAGES = ("numpy", "pandas")
#: Downloads included.
_TIMEOUT_S = 600.0


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
        _run(PYTHON, "-m", "venv", "--clear", str(directory))
        _run(str(python), "-m", "pip", "install", "--quiet", "--only-binary=:all:", *PACKAGES)
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


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_TIMEOUT_S, text=True)
    except OSError as error:
        raise VenvMissing(f"{command[0]}: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        words = (error.stderr or error.stdout or "").strip().splitlines()
        raise VenvMissing(words[-1] if words else f"{command[0]} failed") from error
    except subprocess.TimeoutExpired as error:
        raise VenvMissing(f"{command[0]} took longer than {_TIMEOUT_S:g} s") from error
