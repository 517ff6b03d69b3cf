"""What this machine lacks for the demo, in one line each with what brings it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

#: Language to the command that compiles it and Debian's package of it.
_COMPILERS = {"c": ("gcc", "gcc libc6-dev"), "cpp": ("g++", "g++")}
_USERNS_SWITCH = "/proc/sys/kernel/unprivileged_userns_clone"


def missing_compilers(which: Callable[[str], str | None] = shutil.which) -> dict[str, str]:
    """Languages whose examples cannot run here, with the line to say so."""
    return {
        language: f"{command} is missing, so the {language} examples cannot run: "
        f"apt-get install {packages}"
        for language, (command, packages) in _COMPILERS.items()
        if which(command) is None
    }


def missing_right() -> str | None:
    """The right that sandboxes need and this user lacks, in a line; None where none is known."""
    if os.geteuid() == 0:
        return None
    switch = Path(_USERNS_SWITCH)
    if switch.exists() and switch.read_text().strip() == "0":
        return (
            "user namespaces are closed to users: run this as root, "
            "or sysctl kernel.unprivileged_userns_clone=1"
        )
    return None
