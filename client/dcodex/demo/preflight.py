"""What this machine lacks for the demo, in one line each with what brings it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

#: Language to the command that compiles it and Debian's packages of it.
_COMPILERS = {"c": ("gcc", "gcc libc6-dev"), "cpp": ("g++", "g++")}
#: The doctor arms a sandbox for a trial.
DOCTOR_S = 60.0


def missing_compilers(which: Callable[[str], str | None] = shutil.which) -> dict[str, str]:
    """Languages whose examples cannot run here, with the line to say so."""
    return {
        language: f"{command} is missing, so the {language} examples cannot run: "
        f"apt-get install {packages}"
        for language, (command, packages) in _COMPILERS.items()
        if which(command) is None
    }


def missing_right() -> str | None:
    """What sandboxes need and this machine or user does not give, in a line; None: nothing."""
    # In a process of its own: the doctor forks, and this one may have threads.
    done = subprocess.run(
        [sys.executable, "-P", "-m", "dcodex", "doctor", "--json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DOCTOR_S,
    )
    try:
        return read_report(json.loads(done.stdout))
    except ValueError:
        return None  # a doctor that fails is no missing right: the farm itself will say more


def read_report(report: dict[str, Any]) -> str | None:
    """The line for what `dcodex doctor --json` found."""
    # A trial that fails on a machine that has everything is a fault of ours, not a lack.
    missing = [
        f"{finding['name']}: {finding['text']} ({finding['remedy']})"
        for finding in report["findings"]
        if finding["required"] and not finding["ok"] and finding["name"] != "trial"
    ]
    return f"this machine cannot run sandboxes: {'; '.join(missing)}" if missing else None
