"""A runtime made by `dcodex runtime`, a farm with it, and a program that imports from it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.integration import wheels

import dcodex
from dcodex.testing import Farm, quiet_flags

PATIENCE_S = 100.0
#: It writes where a program may, as some do.
SOURCE = """\
import os, pathlib, tempfile
loaded_by, temporary = os.getpid(), tempfile.gettempdir()
pathlib.Path.home().joinpath("settings").write_text("")
"""
PROGRAM = """\
import os, sys, early, early.lazily
print(early.__version__, early.loaded_by != os.getpid(), os.path.exists(sys.executable))
print(early.temporary, os.listdir(), os.listdir('/usr/local'))
"""
#: What it is stored as; without the suffix it is Python by being where the program begins.
NAMES = ("main.py", "hello.py", "hello")


def _mounts() -> Iterator[str]:
    """What each process has mounted."""
    for path in Path("/proc").glob("[0-9]*/mounts"):
        with contextlib.suppress(OSError):
            yield path.read_text()


def test_programs_import_from_a_runtime_what_was_loaded_before_they_came(tmp_path: Path) -> None:
    wheels.build(tmp_path, "early", "2.1", SOURCE)
    # Nothing else is shown of this place.
    with tempfile.TemporaryDirectory(prefix="dcodex-test-", dir="/usr/local") as place:
        runtime = f"{place}/science"
        done = subprocess.run(
            [
                *(sys.executable, "-P", "-m", "dcodex", "runtime", "make", runtime),
                *("early", "--preload=early", "--", "--no-index", f"--find-links={tmp_path}"),
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            env={**os.environ, "PIP_CONFIG_FILE": os.devnull},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        options = done.stdout.splitlines()[-1].partition("dcodex worker ")[2].split()
        assert options == ["--python_venv", runtime, "--preload", "early"]
        with (
            Farm(*quiet_flags(1), "--languages=python", *options) as farm,
            dcodex.connect(farm.target) as client,
        ):
            texts = [
                client.run(files={name: PROGRAM}, language="python", cache=False).check().text
                for name in NAMES
            ]
            # What packages wrote is kept nowhere.
            seen = [mounts for mounts in _mounts() if place in mounts]
            assert seen
            assert not [mounts for mounts in seen if "scratch /" in mounts]
    places = [os.path.basename(place)]
    assert texts == [f"2.1 True True\n/tmp {[name]} {places}\n" for name in NAMES]
