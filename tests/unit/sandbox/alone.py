"""Runs a test in an interpreter of its own, with one thread: a fork of the test run's would find
the locks of its other threads taken for ever.
"""

from __future__ import annotations

import functools
import importlib
import subprocess
import sys
from collections.abc import Callable

from tests.environment import of_tests

#: How long such a test may take, in seconds.
_TIMEOUT_S = 60.0


def alone(test: Callable[[], None]) -> Callable[[], None]:
    """A test without arguments that runs there, and fails here with what it said."""

    @functools.wraps(test)
    def run() -> None:
        command = [sys.executable, "-P", "-m", __name__, test.__module__, test.__name__]
        done = subprocess.run(
            command,
            env=of_tests(),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run


if __name__ == "__main__":
    getattr(importlib.import_module(sys.argv[1]), sys.argv[2]).__wrapped__()
