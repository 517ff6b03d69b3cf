"""What hosts that were killed left behind: their cgroups and their directories of sockets.

A killed host's processes die with it, but nobody is left to remove what it made. So every host
holds locks on its own directories for as long as it lives, and the next one to start removes
what nobody holds. The kernel drops a lock with its process, whatever ended it.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import logging
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from dcodex_worker.sandbox import cgroup

log = logging.getLogger(__name__)

#: A directory this young may belong to a host that is about to lock it.
YOUNG_S = 1.0
#: How the groups of hosts are named, and those in which they try what the machine can.
_GROUPS = ("dcodex-", "dcodex-survey-")


def claim(paths: list[str]) -> list[int]:
    """Lock this process's directories; the descriptors hold the locks."""
    claimed = []
    for path in paths:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        claimed.append(fd)
    return claimed


def sweep(runtime_dir: str, cgroup_root: str) -> int:
    """Remove what dead hosts left; returns how many they were."""
    swept: set[str] = set()
    try:
        version, bases = cgroup.find(
            Path("/proc/self/mounts").read_text(),
            Path("/proc/self/cgroup").read_text(),
            cgroup_root,
        )
    except (OSError, cgroup.CgroupError):
        # Slots says what is wrong with the cgroups.
        bases = ()
        version = 0
    # Each by itself: one that was killed at its end had removed some, and of one that was started
    # elsewhere some are not below our own.
    for (controller, base), prefix in itertools.product(bases, _GROUPS):
        for path in _unheld(base, prefix):
            name = os.path.basename(path)
            if name not in swept:
                log.warning("removing the cgroups of a dead host name=%s", name)
            swept.add(name)
            cgroup.remove_tree(cgroup.Tree(version, ((controller, path),)))
    for path in _unheld(runtime_dir, "host-"):
        shutil.rmtree(path, ignore_errors=True)
    return len(swept)


def _unheld(directory: str, prefix: str) -> Iterator[str]:
    """Directories named PREFIX and the pid of a host that is dead, each locked while given."""
    try:
        entries = [entry for entry in os.scandir(directory) if entry.name.startswith(prefix)]
    except OSError:
        return
    for entry in entries:
        pid = entry.name.removeprefix(prefix)
        # A living process of that id may be anybody; then its turn comes another time.
        if not pid.isdigit() or os.path.exists(f"/proc/{pid}"):
            continue
        with contextlib.suppress(OSError):
            fd = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                # Waited for, not left: it may be that no other host ever starts here.
                left_s = os.fstat(fd).st_mtime + YOUNG_S - time.time()
                time.sleep(min(max(left_s, 0.0), YOUNG_S))
                # Where the pid means nothing here (another pid namespace) the lock still does.
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield entry.path
            finally:
                os.close(fd)
