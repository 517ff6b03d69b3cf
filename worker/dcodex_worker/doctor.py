"""`dcodex doctor`: what this machine can and cannot enforce, in words an operator can act on.

Each check tries the real thing: the last one arms a sandbox and runs a program in it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from dcodex_shared.config import ConfigError, WorkerSettings, add_flags, load
from dcodex_shared.findings import Finding, as_json, as_text, is_fit
from dcodex_shared.limits import DEFAULT_LIMITS
from dcodex_shared.program import Program, SourceFile
from dcodex_worker import survey
from dcodex_worker.runtimes import Slots, Templates, Workshop, native, python
from dcodex_worker.sandbox.box import SetupError
from dcodex_worker.sandbox.trial import run_to_end


def examine(settings: WorkerSettings) -> list[Finding]:
    """Every check, in order; the last one only when the others allow it."""
    findings = [*survey.examine(settings), *(check(settings) for check in _CHECKS)]
    if is_fit(findings):
        findings.append(_trial(settings))
    return findings


def main(argv: Sequence[str] | None = None) -> int:
    """Print the findings.

    0: a worker would start here; 1: it would refuse to; 2: a flag or setting is wrong.
    """
    parser = argparse.ArgumentParser(
        prog="dcodex doctor",
        description="Say what this machine can and cannot enforce for sandboxes.",
        epilog="examples:\n  dcodex doctor\n  dcodex doctor --json\n"
        "  dcodex doctor --python_venv /srv/science",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON, one object a finding")
    add_flags(parser, WorkerSettings)
    arguments = parser.parse_args(argv)
    try:
        settings = load(WorkerSettings, arguments, os.environ)
    except ConfigError as error:
        parser.exit(2, f"dcodex doctor: {error}\n")
    findings = examine(settings)
    names = ", ".join(finding.name for finding in survey.given_up(findings))
    fit = f"this machine can run sandboxes{f', without {names}' if names else ''}"
    conclusions = (fit, "this machine cannot run sandboxes")
    print(as_json(findings) if arguments.json else as_text(findings, conclusions))
    return 0 if is_fit(findings) else 1


def _python(settings: WorkerSettings) -> Finding:
    try:
        interpreter = python.find(settings)
    except SetupError as error:
        makes = "dcodex runtime make DIR" if settings.python_venv else "apt-get install python3"
        return Finding("python", False, True, str(error), makes)
    return Finding("python", True, True, f"{interpreter.version} at {interpreter.path}")


def _compilers(_: WorkerSettings) -> Finding:
    found = native.find()
    text = ", ".join(f"{c.language} {c.version}" for c in found.values()) or "none"
    return Finding("compilers", len(found) == 2, False, text, "apt-get install gcc g++")


def _linker(_: WorkerSettings) -> Finding:
    present = shutil.which("mold", path="/usr/bin") is not None
    return Finding(
        "linker",
        present,
        False,
        "mold" if present else "the default one",
        "apt-get install mold: C and C++ programs then start faster",
    )


def _trial(settings: WorkerSettings) -> Finding:
    """Arm a sandbox and run a program in it."""
    with tempfile.TemporaryDirectory(prefix="dcodex-doctor-") as directory:
        settings = replace(
            settings, runtime_dir=directory, compile_cache_bytes=0, languages=("python",), slots=1
        )
        try:
            armed_s, ran_s = _try_out(settings)
        except SetupError as error:
            return Finding(
                "trial", False, True, f"no sandbox: {error}", "see the step that it names"
            )
    return Finding(
        "trial", True, True, f"armed in {armed_s * 1e3:.1f} ms, ran in {ran_s * 1e3:.1f} ms"
    )


def _try_out(settings: WorkerSettings) -> tuple[float, float]:
    slots = Slots(settings)
    try:
        templates = Templates(settings)
        try:
            templates.start()
            workshop = Workshop(settings, slots.take())
            try:
                # The first keeper has to be forked and attached; the second sandbox is typical.
                for _ in range(2):
                    start = time.monotonic()
                    armed = workshop.arm("python")
                    armed_s = time.monotonic() - start
                    try:
                        start = time.monotonic()
                        end = run_to_end(armed.begin(_hello()))
                        ran_s = time.monotonic() - start
                    finally:
                        armed.destroy()
            finally:
                workshop.close()
        finally:
            templates.close()
    finally:
        slots.close()
    if end.stdout != b"hello\n" or end.status != 0:
        raise SetupError("trial", 0, f"a program printed {end.stdout!r} and {end.stderr!r}")
    return armed_s, ran_s


def _hello() -> Program:
    source = SourceFile("main.py", 0o644, b"print('hello')\n")
    return Program("python", (source,), "main.py", (), (), (), b"", True, DEFAULT_LIMITS)


_CHECKS: tuple[Callable[[WorkerSettings], Finding], ...] = (
    _python,
    _compilers,
    _linker,
)

if __name__ == "__main__":
    sys.exit(main())
