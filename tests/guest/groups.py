"""The guest's cgroup v2 tree as a test sees and shapes it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
#: Checks run one after another in the whole guest; each part has this long, in seconds.
PART_TIMEOUT_S = 900.0


def tree(top: Path = ROOT) -> set[str]:
    """Every group below `top`, by its path."""
    return {str(Path(folder).relative_to(ROOT)) for folder, _, _ in os.walk(top)}


def processes(group: str) -> set[int]:
    """Pids of the processes in a group itself."""
    return {int(pid) for pid in (ROOT / group / "cgroup.procs").read_text().split()}


def own() -> str:
    """This process's group, without a leading slash."""
    return Path("/proc/self/cgroup").read_text().strip().removeprefix("0::/")


def delegate(*paths: str) -> None:
    """Make a group and let it have its controllers, as systemd does with Delegate=yes."""
    for path in paths:
        current = ROOT
        for part in Path(path).parts:
            (current / "cgroup.subtree_control").write_text("+cpu +memory +pids")
            current /= part
            current.mkdir(exist_ok=True)


def run_in(group: str, *command: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command that is in `group` from its first moment; its stderr goes where ours goes."""
    enter = f'echo 0 >{ROOT / group}/cgroup.procs && exec "$@"'
    return subprocess.run(
        ["/bin/sh", "-c", enter, "sh", *command],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        timeout=PART_TIMEOUT_S,
        check=False,
    )


def in_container(*command: str) -> tuple[str, ...]:
    """The command line that runs a command with its present group as the root of all groups."""
    remount = f'umount {ROOT} && mount -t cgroup2 cgroup2 {ROOT} && exec "$@"'
    return ("unshare", "--cgroup", "--mount", "/bin/sh", "-c", remount, "sh", *command)


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command line of a module of ours."""
    return (sys.executable, "-P", "-m", module, *arguments)
