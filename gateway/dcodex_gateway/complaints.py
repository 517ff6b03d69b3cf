"""Warnings that a peer can cause, kept from flooding the log."""

from __future__ import annotations

import logging
from time import monotonic

#: A peer that sends nonsense without end gets one line in this time.
INTERVAL_S = 1.0


class Complaints:
    """Logs at most one warning an interval, and says how many it kept back."""

    def __init__(self, log: logging.Logger, interval_s: float = INTERVAL_S) -> None:
        self._log = log
        self._interval_s = interval_s
        self._next_at = 0.0
        self._kept_back = 0

    def warn(self, message: str, *args: object) -> None:
        """Log it, or count it."""
        now = monotonic()
        if now < self._next_at:
            self._kept_back += 1
            return
        if self._kept_back:
            message += " kept_back=%d"
            args = (*args, self._kept_back)
        self._log.warning(message, *args)
        self._next_at, self._kept_back = now + self._interval_s, 0
