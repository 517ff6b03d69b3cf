"""A warm hello through the farm against a bare start of the same interpreter, interleaved."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from dcodex.client import Client

#: Pairs of runs; enough for a median that holds still.
ROUNDS = 50
#: Runs before any is counted: connections and caches of both sides.
WARM_UP = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """Medians, in seconds."""

    farm_s: float
    bare_s: float
    interpreter: str

    def __str__(self) -> str:
        return (
            f"a warm Python hello, client to client: {self.farm_s * 1000:.1f} ms; "
            f"{self.interpreter} -I hello.py: {self.bare_s * 1000:.1f} ms; "
            f"ratio {self.farm_s / self.bare_s:.2f} (medians of {ROUNDS}, interleaved)"
        )


def find_interpreter() -> str:
    """The interpreter that programs get, as the worker picks it."""
    system = "/usr/bin/python3"
    if os.access(system, os.X_OK):
        return system
    base: str = getattr(sys, "_base_executable", sys.executable)
    return base


def compare(client: Client, program: Path) -> Comparison:
    """Run the program both ways in turns."""
    interpreter = find_interpreter()
    source = program.read_bytes()
    farm: list[float] = []
    bare: list[float] = []
    for _ in range(WARM_UP + ROUNDS):
        started = time.perf_counter()
        expected = client.run(source, language="python", cache=False).check().stdout
        farm.append(time.perf_counter() - started)
        started = time.perf_counter()
        command = [interpreter, "-I", str(program)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, close_fds=False)
        bare.append(time.perf_counter() - started)
        if done.stdout != expected:
            raise RuntimeError(f"{interpreter} wrote {done.stdout!r}, the farm {expected!r}")
    return Comparison(
        statistics.median(farm[WARM_UP:]), statistics.median(bare[WARM_UP:]), interpreter
    )
