"""Asks coordinator_alone.py, a program of its own, for its figures."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

from tests.bench.crew import ROOT, JobFailed
from tests.bench.plan import Scale
from tests.bench.results import Leases

_PROGRAM = ROOT / "tests" / "bench" / "coordinator_alone.py"
_WORKERS = ("8", "64")
_WAITING = ("0", "10000")
_TIMEOUT_S = 300.0


def measure(scale: Scale, say: Callable[[str], None]) -> list[Leases]:
    """A row for each number of workers and of waiting requests."""
    say("the coordinator alone")
    command = [sys.executable, str(_PROGRAM), "--leases", str(scale.leases)]
    command += ["--workers", *_WORKERS, "--waiting", *_WAITING]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
        )
    except subprocess.CalledProcessError as error:
        words = error.stderr.strip().splitlines()
        raise JobFailed(f"coordinator_alone.py: {words[-1] if words else error}") from error
    except subprocess.TimeoutExpired as error:
        raise JobFailed(f"coordinator_alone.py took over {_TIMEOUT_S:g} s") from error
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        Leases(
            int(row["workers"]),
            int(row["waiting"]),
            row["leases_a_core_second_process"],
            # Five messages a lease, as coordinator_alone.py counts them.
            row["leases_a_core_second_process"]
            * row["messages_a_core_second_loop"]
            / row["leases_a_core_second_loop"],
            row["leases_a_core_second_loop"],
        )
        for row in rows
    ]
