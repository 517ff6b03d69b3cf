"""Cleans the places of dead workers apart from the host's loop.

What a worker leaves is killed and waited for, which on a machine in need takes seconds: a host
that is silent meanwhile would be taken for dead with all its workers.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Iterator

from dcodex_worker.runtimes import Slot
from dcodex_worker.sandbox import cgroup

log = logging.getLogger(__name__)


class Cleaner(threading.Thread):
    """One place after the other; there are never more than the host has slots."""

    def __init__(self) -> None:
        super().__init__(name="cleaner", daemon=True)
        self._dirty: queue.SimpleQueue[Slot | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[Slot, bool]] = queue.SimpleQueue()
        #: Readable when take() may have something.
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def put(self, slot: Slot) -> None:
        """Have a place cleaned whose worker's process is gone."""
        self._dirty.put(slot)

    def take(self) -> Iterator[tuple[Slot, bool]]:
        """Places that are done with, and whether they are clean."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.fd)
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._done.get_nowait()

    def close(self) -> None:
        """Clean what is left, and end."""
        self._dirty.put(None)
        self.join()
        os.close(self.fd)

    def run(self) -> None:
        """Clean until closed."""
        while (slot := self._dirty.get()) is not None:
            clean = True
            try:
                cgroup.remove_leaves(slot.tree, slot.leaf_prefix)
            except OSError as error:
                log.error("could not clean a slot number=%d error=%s", slot.number, error)
                clean = False
            self._done.put((slot, clean))
            os.eventfd_write(self.fd, 1)
