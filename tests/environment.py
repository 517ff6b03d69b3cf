"""The environment of an interpreter that a test starts and that must find the tests themselves."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def of_tests(*before: Path, **more: str) -> dict[str, str]:
    """This process's own, with the repository and, before it, other folders to import from."""
    paths = [*map(str, before), str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    # An empty path would be the working directory.
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **more}
