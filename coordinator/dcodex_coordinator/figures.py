"""What has been counted and measured: Prometheus shows it, the balancer decides by it.

One bookkeeping for both. Labels are bounded: languages are those that hosts have offered, the
rest are enumerations of our own.
"""

from __future__ import annotations

import math
from collections import Counter

from dcodex_coordinator.histograms import Histogram, SlidingHistogram
from dcodex_shared.errors import Reason
from dcodex_shared.messages import Verdict

#: Waits and runs in seconds: a warm lease waits well below a millisecond, a compile runs seconds.
WAIT_BOUNDS = (
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    10.0,
    60.0,
)
RUN_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
ARMING_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
#: Recent demand is that of the last half minute or so: long enough for a mix to show, short
#: enough to follow a shift of it.
DEMAND_TIME_S = 30.0
#: A surge shows within so many seconds.
SURGE_TIME_S = 3.0
#: Fewer arrivals than this in that time are chance.
SURGE_LEAST = 5.0
#: Waits of the last seconds say whether there are too few workers now.
RECENT_S = 5.0
#: Every label there is counts from 0, so that a first event shows as an increase.
REFUSED = (
    Reason.CANCELLED,
    Reason.DEADLINE_EXCEEDED,
    Reason.ALREADY_EXISTS,
    Reason.RESOURCE_EXHAUSTED,
    Reason.INTERNAL,
    Reason.UNAVAILABLE,
)
DROPPED = (
    "bug",  # we could not handle it
    "malformed",  # fields that cannot be
    "misplaced",  # from a role that may not send it
    "not_leased",  # from a worker about what it does not run
    "not_owned",  # from a gateway about another's execution
    "stranger",  # before Hello
    "unexpected",  # at a time when it means nothing
    "unreadable",  # no message at all
    "unsendable",  # its receiver was gone
    "window",  # beyond what its sender may have under way
)
LOST = ("disconnected", "exited", "overdue", "protocol", "start")


class Decayed:
    """A sum whose past fades with a time constant: sum / constant is a rate."""

    __slots__ = ("_at", "_sum", "_time_s")

    def __init__(self, time_s: float) -> None:
        self._time_s = time_s
        self._sum = 0.0
        self._at = 0.0

    def add(self, amount: float, now: float) -> None:
        """Add to the sum."""
        self._sum = self._faded(now) + amount
        self._at = now

    def rate(self, now: float) -> float:
        """The recent amount a second."""
        return self._faded(now) / self._time_s

    def _faded(self, now: float) -> float:
        if now <= self._at:
            return self._sum
        return self._sum * math.exp((self._at - now) / self._time_s)


class LanguageFigures:
    """One language's."""

    __slots__ = (
        "arming",
        "arming_mean_s",
        "cold",
        "demand",
        "ended",
        "last_arrival",
        "occupied_mean_s",
        "run",
        "seen",
        "surge",
        "verdicts",
        "wait",
        "waits",
        "warm",
    )

    def __init__(self) -> None:
        #: Leases to a worker that was armed for it, and to one that was not.
        self.warm = 0
        self.cold = 0
        #: Executions that ended, by Verdict.
        self.verdicts: Counter[int] = Counter(dict.fromkeys(map(int, Verdict), 0))
        #: Seconds from receipt to lease.
        self.wait = Histogram(WAIT_BOUNDS)
        self.waits = SlidingHistogram(RECENT_S, 5)
        #: Seconds from lease to end.
        self.run = Histogram(RUN_BOUNDS)
        #: Seconds that arming took, as workers tell.
        self.arming = Histogram(ARMING_BOUNDS)
        #: Requests that needed a worker.
        self.demand = Decayed(DEMAND_TIME_S)
        self.surge = Decayed(SURGE_TIME_S)
        self.seen = False
        self.last_arrival = 0.0
        #: The running mean of the seconds from a lease until the worker is ready again.
        self.occupied_mean_s = 0.0
        self.arming_mean_s = 0.0
        self.ended = 0

    def arrived(self, now: float) -> None:
        """Count a request that needs a worker."""
        self.demand.add(1.0, now)
        self.surge.add(1.0, now)
        self.seen = True
        self.last_arrival = now

    def occupied(self, seconds: float) -> None:
        """Count one worker's time from lease to ready."""
        step = 0.1 if self.occupied_mean_s else 1.0
        self.occupied_mean_s += step * (seconds - self.occupied_mean_s)

    def armed(self, seconds: float) -> None:
        """Count one arming."""
        self.arming.observe(seconds)
        step = 0.1 if self.arming_mean_s else 1.0
        self.arming_mean_s += step * (seconds - self.arming_mean_s)

    def workers_needed(self, now: float) -> float:
        """Little's law: arrivals a second times the seconds each occupies a worker."""
        rate, surge = self.demand.rate(now), self.surge.rate(now)
        if surge > rate and surge * SURGE_TIME_S >= SURGE_LEAST:
            rate = surge
        return rate * self.occupied_mean_s


class Figures:
    """The coordinator's."""

    def __init__(self) -> None:
        self.languages: dict[str, LanguageFigures] = {}
        #: Requests turned away, by errors.Reason.
        self.refused: Counter[int] = Counter(dict.fromkeys(REFUSED, 0))
        #: Connections over TCP turned away for their key.
        self.connections_refused = 0
        #: Messages dropped, by why.
        self.dropped: Counter[str] = Counter(dict.fromkeys(DROPPED, 0))
        #: Workers that were lost, by how.
        self.workers_lost: Counter[str] = Counter(dict.fromkeys(LOST, 0))
        self.workers_started = 0
        self.workers_retired = 0
        self.cache_hits = 0
        self.cache_misses = 0
        self.cache_entries = 0
        self.cache_bytes = 0
        #: Requests that were answered by somebody else's identical run.
        self.shared_runs = 0
        self.output_bytes = 0
        self.stdin_bytes = 0
        #: Requests that got their end, cache hits included, refusals not.
        self.executions = 0
        self.peak_memory_bytes = 0
        #: Seconds from receipt to end.
        self.latency = SlidingHistogram()
        #: (direction, reason) of the balancer's changes of mind.
        self.scale_decisions: Counter[tuple[str, str]] = Counter()
        self.workers_desired = 0
        self.desired_mix: dict[str, int] = {}

    def language(self, name: str) -> LanguageFigures:
        """The figures of an offered language."""
        found = self.languages.get(name)
        if found is None:
            found = self.languages[name] = LanguageFigures()
        return found
