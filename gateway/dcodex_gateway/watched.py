"""A value read from files, read again when they change; what cannot be read changes nothing."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Generic, TypeVar

from dcodex_shared.config import ConfigError

log = logging.getLogger(__name__)

#: How old what is used may be: a look at a file costs microseconds, but not none.
INTERVAL_S = 1.0

T = TypeVar("T")


class Watched(Generic[T]):
    """The newest good value. Callable from several threads: each at worst reads once more."""

    def __init__(self, paths: Sequence[str], read: Callable[[], T]) -> None:
        """read: makes the value of the files; ConfigError or OSError where it cannot.

        Raises ConfigError where it cannot the first time.
        """
        self._paths = [Path(path) for path in paths]
        self._read = read
        self._look_at = monotonic() + INTERVAL_S
        #: Moves with every new value.
        self.version = 0
        try:
            self._stamp = self._new_stamp()
            self.value = read()
        except OSError as error:
            raise ConfigError(f"cannot read {error.filename}: {error.strerror}") from None

    def get(self) -> T:
        """The value, at most INTERVAL_S behind the files."""
        now = monotonic()
        if now >= self._look_at:
            self._look_at = now + INTERVAL_S
            self._look()
        return self.value

    def _look(self) -> None:
        names = ", ".join(map(str, self._paths))
        try:
            stamp = self._new_stamp()
            if stamp == self._stamp:
                return
            # Kept also where the value is bad: one complaint for each bad state of the files.
            self._stamp = stamp
            self.value = self._read()
        except (ConfigError, OSError) as error:
            log.error("keeping what was read before files=%s error=%s", names, error)
            return
        self.version += 1
        log.info("read again files=%s", names)

    def _new_stamp(self) -> object:
        stats = [os.stat(path) for path in self._paths]
        return [(entry.st_mtime_ns, entry.st_size, entry.st_ino) for entry in stats]
