"""Cleans the places of dead workers apart from the host's loop.

What a worker leaves is killed and waited for, which on a machine in need takes seconds: a host
that is silent meanwhile would be taken for dead with all its workers. A place that cannot be
cleaned now, for want of a descriptor or since something in it does not die, is tried again:
nobody else gets it before.
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

#: The pause before another attempt at what could not be cleaned.
AGAIN_S = 5.0


class Cleaner(threading.Thread):
    """One place after the other; there are never more than the host has slots."""

    def __init__(self) -> None:
        super().__init__(name="cleaner", daemon=True)
        self._dirty: queue.SimpleQueue[Slot | None] = queue.SimpleQueue()
        self._clean: queue.SimpleQueue[Slot] = queue.SimpleQueue()
        #: What could not be cleaned yet.
        self._stubborn: list[Slot] = []
        #: Readable when take() may have something.
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def put(self, slot: Slot) -> None:
        """Have a place cleaned whose worker's process is gone."""
        self._dirty.put(slot)

    def take(self) -> Iterator[Slot]:
        """Places that are clean now."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.fd)
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._clean.get_nowait()

    def close(self) -> None:
        """Clean what is left, and end."""
        self._dirty.put(None)
        self.join()
        os.close(self.fd)

    def run(self) -> None:
        """Clean until closed."""
        going = True
        while going:
            try:
                slot = self._dirty.get(timeout=AGAIN_S if self._stubborn else None)
                going = slot is not None
                slots = [] if slot is None else [slot]
            except queue.Empty:
                slots = []
            if not slots:
                slots, self._stubborn = self._stubborn, []
            for each in slots:
                self._try(each)

    def _try(self, slot: Slot) -> None:
        try:
            cgroup.remove_leaves(slot.tree, slot.leaf_prefix)
        except OSError as error:
            log.error("could not clean a slot number=%d error=%s", slot.number, error)
            self._stubborn.append(slot)
        else:
            self._clean.put(slot)
            os.eventfd_write(self.fd, 1)
