"""A step of the wall clock changes nothing: nobody decides by it."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

#: The wall clock under its names.
WALL = frozenset(("time", "time_ns", "now", "utcnow", "today", "CLOCK_REALTIME"))
#: The age of a file is told by the clock that stamped it: a step can only put a clean-up off. A
#: collector of traces goes by the wall clock: a step can only misplace a span there. A program's
#: log records count from its start by the wall clock, as the logging module has it.
ALLOWED = frozenset(("leftovers.py", "stash.py", "telemetry.py"))


@pytest.mark.parametrize(
    "package", ["dcodex_shared", "dcodex_coordinator", "dcodex_gateway", "dcodex_worker"]
)
def test_no_process_reads_the_wall_clock(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    for path in Path(spec.origin).parent.rglob("*.py"):
        if path.name not in ALLOWED:
            assert list(_readings(ast.parse(path.read_text()))) == [], path


def _readings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            whole = f"{node.value.id}.{node.attr}"
            if node.value.id in ("time", "datetime", "date") and node.attr in WALL:
                yield whole
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"time.{alias.name}" for alias in node.names if alias.name in WALL)
