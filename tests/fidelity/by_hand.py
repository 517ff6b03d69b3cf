"""Runs a program as its author would by hand, with the environment that the sandbox gives."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.fidelity.corpus import Case

from dcodex_worker.runtimes.names import not_an_option

#: Where a program finds itself in the sandbox; by hand it is a scratch directory.
WORK_DIRECTORY = b"/work"
INTERPRETER = "/usr/bin/python3"
#: The exit code of a program that its compiler refused.
NEVER_RAN = -1
#: A harmless program that takes longer hangs.
PATIENCE_S = 60.0
_ADDRESS = re.compile(rb"0x[0-9a-f]{6,}")
_TEMPORARY = re.compile(rb"/tmp/cc\w{6}")


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a run, byte for byte."""

    stdout: bytes
    stderr: bytes
    #: 0..255; 128+signal where a signal ended it; -1 where it was not compiled.
    exit_code: int
    compiler: bytes = b""


def run(case: Case, environment: Mapping[str, str], interpreter: str = INTERPRETER) -> Came:
    """Run it; the scratch directory's name is replaced by the sandbox's in what it wrote."""
    with tempfile.TemporaryDirectory(prefix="hand-") as scratch:
        for name, content in ((case.file, case.source), *case.beside):
            Path(scratch, name).parent.mkdir(parents=True, exist_ok=True)
            Path(scratch, name).write_bytes(content)
        environment = {**environment, **dict(case.env)}
        compiler = b""
        if case.language == "python":
            command = [interpreter, "-u", not_an_option(case.file), *case.args]
        else:
            compiled = _run(_compile_command(case), scratch, environment, b"")
            compiler = compiled.stdout + compiled.stderr
            if compiled.exit_code != 0:
                return Came(b"", b"", NEVER_RAN, compiler)
            Path(scratch, case.file).unlink()
            command = ["./a.out", *case.args]
        came = _run(command, scratch, environment, case.stdin)
        here = os.fsencode(scratch)
        return Came(
            came.stdout.replace(here, WORK_DIRECTORY),
            came.stderr.replace(here, WORK_DIRECTORY),
            came.exit_code,
            compiler,
        )


def settled(came: Came) -> Came:
    """Without what differs from run to run by hand too: addresses and temporary names."""
    return Came(_settle(came.stdout), _settle(came.stderr), came.exit_code, _settle(came.compiler))


def _settle(text: bytes) -> bytes:
    return _TEMPORARY.sub(b"/tmp/cc*", _ADDRESS.sub(b"0x*", text))


def _compile_command(case: Case) -> list[str]:
    if case.language == "c":
        return ["/usr/bin/gcc", "-o", "a.out", case.file, "-lm"]
    return ["/usr/bin/g++", "-o", "a.out", case.file]


def _run(command: list[str], folder: str, environment: Mapping[str, str], stdin: bytes) -> Came:
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        input=stdin,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
        start_new_session=True,
    )
    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Came(done.stdout, done.stderr, code)
