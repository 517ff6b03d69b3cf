"""Local sockets are taken out of sight while this process has few descriptors left.

libzmq ends its process when it cannot take a local connection for want of a descriptor (over TCP
it only waits). So whoever connects must not find the socket then; it tries again by itself, and
connections that stand are none the worse for it.
"""

from __future__ import annotations

import logging
import os
import resource
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger(__name__)

#: How often to look, in seconds.
LOOK_S = 0.25
#: What may be taken up between two looks: twice the workers that are started in that time.
SPARE_LEAST = 32


class LocalDoors:
    """The socket files of one coordinator."""

    def __init__(self, endpoints: Iterable[str]) -> None:
        """endpoints: those that are no files are none of its business."""
        self._paths = [
            Path(endpoint.removeprefix("ipc://"))
            for endpoint in endpoints
            if endpoint.startswith("ipc://")
        ]
        #: Whether the files have their names.
        self._open = True

    def look(self) -> None:
        """Hide or show them, as the descriptors that are left ask for."""
        spare = _spare_descriptors()
        if self._open and spare < SPARE_LEAST:
            log.error(
                "no new local connections: descriptors are short, raise the limit (ulimit -n)"
            )
            self._open = False
            for path in self._paths:
                path.rename(_aside(path))
        elif not self._open and spare >= SPARE_LEAST:
            log.info("new local connections are taken again")
            self.show()

    def show(self) -> None:
        """Give them their names back: before they are removed for good, too."""
        if not self._open:
            self._open = True
            for path in self._paths:
                _aside(path).rename(path)


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.aside")


def _spare_descriptors() -> int:
    """How many more this process may have; 0 where it cannot even count them."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        return limit - len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0
