"""Makes a runtime: a virtual environment with packages, byte-compiled and where it says it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

from dcodex_shared.config import WorkerSettings
from dcodex_worker.provision import files
from dcodex_worker.provision.place import MakeError, building
from dcodex_worker.runtimes import python
from dcodex_worker.sandbox import kernel
from dcodex_worker.sandbox.box import SetupError

#: Files that others can read, whatever umask the operator has.
_UMASK = 0o022


def make(
    directory: str,
    interpreter: str,
    wanted: Sequence[str],
    accept: Callable[[str], None],
    *,
    replace: bool = False,
) -> None:
    """Make a runtime; raises MakeError, and then there is none, or the one that was there.

    directory: absolute, no link. interpreter: a path.
    wanted: what `pip install` is given; pip shows its progress on our standard error.
    accept: called with where the runtime still is before it takes its place; may raise MakeError.
    """
    try:
        python.find(WorkerSettings(python=interpreter, preload=()))
        python.refuse_private(directory)
    except SetupError as error:
        raise MakeError(str(error)) from error
    with building(directory, replace) as build:
        _make_empty(interpreter, build)
        own = os.path.join(build, "bin", "python3")
        pip = [own, "-I", "-m", "pip", "install", "--no-compile", "--disable-pip-version-check"]
        # What has to be built on a worker's machine is second choice.
        command = [*pip, "--prefer-binary", *wanted]
        if _run(command, sys.stderr.fileno()).returncode:
            raise MakeError("pip could not install that, as it says above; nothing was made")
        _compile(own, build, directory)
        _move_paths(build, directory)
        accept(build)


def _make_empty(interpreter: str, build: str) -> None:
    done = _run([interpreter, "-I", "-m", "venv", build], subprocess.PIPE, subprocess.STDOUT)
    if done.returncode:
        lines = done.stdout.decode(errors="replace").strip().splitlines()
        raise MakeError(
            f"{interpreter} cannot make a virtual environment (apt-get install python3-venv): "
            f"{lines[-1] if lines else f'status {done.returncode}'}"
        )


def _compile(own: str, build: str, directory: str) -> None:
    """Byte-code of everything, for the paths that it will have.

    Programs cannot write theirs. Files that are no Python of this version are left out.
    """
    paths = ["-s", build, "-p", directory, os.path.join(build, "lib")]
    _run([own, "-I", "-m", "compileall", "-qq", *paths], subprocess.DEVNULL)


def _move_paths(build: str, directory: str) -> None:
    """Have scripts and configuration name the place that it will have."""
    scripts = [entry.path for entry in os.scandir(os.path.join(build, "bin"))]
    for path in (*scripts, os.path.join(build, files.MARK)):
        if os.path.islink(path):
            continue
        with open(path, "r+b") as file:
            data = file.read()
            if build.encode() in data:
                file.seek(0)
                file.write(data.replace(build.encode(), directory.encode()))
                file.truncate()


def _run(
    command: list[str], stdout: int, stderr: int | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command, stdout=stdout, stderr=stderr, umask=_UMASK, preexec_fn=_die_with_parent
    )


def _die_with_parent() -> None:
    """Whoever makes the same next finds nobody at work there."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
