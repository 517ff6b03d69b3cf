"""A program started by hand: the command lines, and one run of them as lean as can be."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.workloads import Bare, Workload, text

#: The interpreter that programs get, and so the one to compare with.
PYTHON = "/usr/bin/python3"
_SOURCES = {Bare.PYTHON: "main.py", Bare.VENV: "main.py", Bare.C: "main.c", Bare.CPP: "main.cpp"}
_COMPILERS = {Bare.C: "/usr/bin/gcc", Bare.CPP: "/usr/bin/g++"}
_READ_BYTES = 1 << 20


class BareFailed(Exception):
    """A program started by hand did not do what it should."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start, one after the other; the last one's output counts."""

    steps: tuple[tuple[str, ...], ...]
    expect: bytes
    #: Where output goes instead of a pipe; empty: a pipe.
    output: str


def make_plan(
    workload: Workload, directory: Path, number: int, venv: str, peer: Sequence[str] = ()
) -> Plan:
    """Lay the program's text into the directory; say how it is started there.

    venv: the programs' virtual environment, where the workload needs it.
    peer: words before the command: a sandbox to run it in. `{dir}` in them is the directory.
    """
    directory.mkdir(parents=True, exist_ok=True)
    source = directory / _SOURCES[workload.bare]
    source.write_text(text(workload.source, number))
    steps = _steps(workload, source, str(directory / "a.out"), venv)
    if peer:
        words = tuple(word.replace("{dir}", str(directory)) for word in peer)
        if len(steps) > 1:  # one sandbox for all of them
            line = " && ".join(shlex.join(step) for step in steps)
            steps = (("/bin/sh", "-c", line),)
        steps = tuple((*words, *step) for step in steps)
    expect = text(workload.expect, number).encode()
    return Plan(steps, expect, str(directory / "output") if workload.to_file else "")


def _steps(
    workload: Workload, source: Path, program: str, venv: str
) -> tuple[tuple[str, ...], ...]:
    match workload.bare:
        case Bare.PYTHON:
            return ((PYTHON, "-I", str(source)),)
        case Bare.VENV:
            return ((f"{venv}/bin/python3", "-I", str(source)),)
        case Bare.C | Bare.CPP:
            compiler = _COMPILERS[workload.bare]
            compile_step = (compiler, *workload.compile_args, "-o", program, str(source))
            return (compile_step, (program,))


def run(plan: Plan, environment: dict[str, str]) -> None:
    """Start it, read all of its output, wait for its end; BareFailed where that is not right."""
    for step in plan.steps[:-1]:
        _wait(os.posix_spawn(step[0], step, environment), step)
    step = plan.steps[-1]
    if plan.output:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        opened = (os.POSIX_SPAWN_OPEN, 1, plan.output, flags, 0o644)
        _wait(os.posix_spawn(step[0], step, environment, file_actions=[opened]), step)
        return
    reader, writer = os.pipe()
    try:
        joined = (os.POSIX_SPAWN_DUP2, writer, 1)
        pid = os.posix_spawn(step[0], step, environment, file_actions=[joined])
    finally:
        os.close(writer)
    output = b""
    while piece := os.read(reader, _READ_BYTES):
        output += piece
    os.close(reader)
    _wait(pid, step)
    if output != plan.expect:
        raise BareFailed(f"{shlex.join(step)} printed {output[:80]!r} instead of {plan.expect!r}")


def _wait(pid: int, step: Sequence[str]) -> None:
    _, status = os.waitpid(pid, 0)
    if status:
        raise BareFailed(f"{shlex.join(step)} ended with {os.waitstatus_to_exitcode(status)}")
