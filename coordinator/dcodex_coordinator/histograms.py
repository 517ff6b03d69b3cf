"""Figures in fixed buckets: for Prometheus since the start, and for the last minute sliding.

Both cost O(1) an observation whatever comes in, and neither grows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque


class Histogram:
    """Counts since the start in Prometheus' sense: a bucket counts what is at most its bound."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        #: One more than bounds: the last counts what exceeds them all. Not cumulative.
        self.counts = [0] * (len(bounds) + 1)
        #: The sum of all observations.
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulative(self) -> list[tuple[str, float]]:
        """(le, count) pairs as Prometheus wants them."""
        pairs = []
        running = 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            running += count
            pairs.append((bound, float(running)))
        return pairs


#: From 50 µs to over 10 minutes in steps of a tenth: a quantile is off by 5 % at the most.
FINE_BOUNDS = tuple(50e-6 * 1.1**step for step in range(172))


class SlidingHistogram:
    """The last window in slices, the oldest of which falls away as a whole."""

    __slots__ = ("_counts", "_ends_at", "_slice_s", "_slices")

    def __init__(self, window_s: float = 60.0, slices: int = 12) -> None:
        self._slice_s = window_s / slices
        #: The sum of all slices, bucket by bucket.
        self._counts = [0] * (len(FINE_BOUNDS) + 1)
        #: Each slice as {bucket: count}; the last is being filled.
        self._slices: deque[dict[int, int]] = deque([{}], maxlen=slices)
        #: When the last slice is full.
        self._ends_at = 0.0

    def observe(self, value: float, now: float) -> None:
        """Count one observation."""
        if now >= self._ends_at:
            self._turn(now)
        bucket = bisect_left(FINE_BOUNDS, value)
        self._counts[bucket] += 1
        filling = self._slices[-1]
        filling[bucket] = filling.get(bucket, 0) + 1

    def quantiles(self, now: float, *shares: float) -> tuple[float, ...]:
        """The least bounds that these shares (ascending) do not exceed; 0 where nothing is."""
        if now >= self._ends_at:
            self._turn(now)
        count = sum(self._counts)
        if not count:
            return (0.0,) * len(shares)
        found: list[float] = []
        running = 0
        for bucket, here in enumerate(self._counts):
            running += here
            while len(found) < len(shares) and running >= shares[len(found)] * count:
                found.append(FINE_BOUNDS[min(bucket, len(FINE_BOUNDS) - 1)])
        return tuple(found)

    def count(self, now: float) -> int:
        """Observations in the window."""
        if now >= self._ends_at:
            self._turn(now)
        return sum(self._counts)

    def _turn(self, now: float) -> None:
        passed = int((now - self._ends_at) / self._slice_s) + 1 if self._ends_at else 1
        for _ in range(min(passed, self._slices.maxlen or 1)):
            if len(self._slices) == self._slices.maxlen:
                for bucket, count in self._slices[0].items():
                    self._counts[bucket] -= count
            self._slices.append({})
        self._ends_at = now - now % self._slice_s + self._slice_s
