"""What the gateway counts: plain numbers that one thread writes, read at a scrape.

A labelled counter of the Prometheus client costs microseconds and a lock each time; a call here
costs a dictionary look-up. metrics.py turns them into Prometheus families.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

#: Upper bounds in seconds: from a cache hit to the longest wall limit.
LATENCY_BUCKETS_S = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
)  # fmt: skip


@dataclass(slots=True)
class Histogram:
    """Counts by bucket; the last is beyond the highest bound."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BUCKETS_S) + 1))
    sum_s: float = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(LATENCY_BUCKETS_S, seconds)] += 1
        self.sum_s += seconds


@dataclass(slots=True)
class Figures:
    """Everything that the gateway counts for itself."""

    #: Ended calls by (method, name of the gRPC status).
    calls: dict[tuple[str, str], int] = field(default_factory=dict)
    #: Calls under way by method.
    in_flight: dict[str, int] = field(default_factory=dict)
    #: Seconds from a call's arrival to its end, by method.
    latency: dict[str, Histogram] = field(default_factory=dict)
    stdin_bytes: int = 0
    output_bytes: int = 0
    #: Executions that one coordinator gave back unstarted and the next one got.
    sent_again: int = 0
    #: Messages from the coordinator that decoded, but made no sense.
    senseless: int = 0

    def begin(self, method: str) -> None:
        """A call came in."""
        self.in_flight[method] = self.in_flight.get(method, 0) + 1

    def end(self, method: str, status: str, seconds: float) -> None:
        """A call ended."""
        self.in_flight[method] -= 1
        key = (method, status)
        self.calls[key] = self.calls.get(key, 0) + 1
        histogram = self.latency.get(method)
        if histogram is None:
            histogram = self.latency[method] = Histogram()
        histogram.observe(seconds)
