"""How much one tenant may have of this gateway: requests, worker time, executions at once (pure).

Token buckets: each fills with `rate` a second up to `burst`. A request takes one from the first;
what its execution has used is taken from the second afterwards, which may go below zero and then
has to fill up again before the next one is let in. Every gateway counts for itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcodex_shared.errors import Reason, Rejected

#: Tokens that a bucket holds, in seconds of its rate: enough for a burst after a pause.
BURST_S = 10.0
#: A caller whose executions are too many at once may try again soon: one may end any moment.
CONCURRENCY_RETRY_S = 0.1


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a tenant may use. 0 means without bound."""

    requests_per_s: float = 0.0
    #: Seconds of worker time per second: 2.0 keeps two workers busy.
    worker_s_per_s: float = 0.0
    concurrency: int = 0


UNBOUNDED = Allowance()


class Bucket:
    """One token bucket; full at first."""

    __slots__ = ("_at", "_burst", "_level", "_rate")

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._burst = max(rate * BURST_S, 1.0)
        self._level = self._burst
        self._at = now

    def wait_s(self, least: float, now: float) -> float:
        """Seconds until it holds at least this much; 0: it does now."""
        self._fill(now)
        return max(0.0, (least - self._level) / self._rate)

    def take(self, amount: float, now: float) -> None:
        """Take this much, even where that leaves it below zero."""
        self._fill(now)
        self._level -= amount

    def _fill(self, now: float) -> None:
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now


class Account:
    """One tenant's use of this gateway."""

    def __init__(self, tenant: str, allowance: Allowance, now: float) -> None:
        self.tenant = tenant
        #: Executions under way; at most allowance.concurrency where that is not 0.
        self.running = 0
        self.change(allowance, now)

    def change(self, allowance: Allowance, now: float) -> None:
        """The operator gave other bounds; what runs goes on."""
        self.allowance = allowance
        self._requests = _bucket(allowance.requests_per_s, now)
        self._worker_time = _bucket(allowance.worker_s_per_s, now)

    def enter(self, now: float) -> None:
        """Begin an execution, or raise Rejected(RESOURCE_EXHAUSTED) and begin nothing."""
        most = self.allowance.concurrency
        if most and self.running >= most:
            raise _exceeded(f"at most {most} executions at once", CONCURRENCY_RETRY_S)
        if self._worker_time is not None and (wait_s := self._worker_time.wait_s(0.0, now)) > 0:
            rate = self.allowance.worker_s_per_s
            raise _exceeded(f"at most {rate:g} worker-seconds a second", wait_s)
        if self._requests is not None:
            if (wait_s := self._requests.wait_s(1.0, now)) > 0:
                rate = self.allowance.requests_per_s
                raise _exceeded(f"at most {rate:g} requests a second", wait_s)
            self._requests.take(1.0, now)
        self.running += 1

    def leave(self, used_s: float, now: float) -> None:
        """An execution ended; it kept a worker busy for this long."""
        self.running -= 1
        if self._worker_time is not None:
            self._worker_time.take(used_s, now)


def _bucket(rate: float, now: float) -> Bucket | None:
    return Bucket(rate, now) if rate > 0 else None


def _exceeded(what: str, wait_s: float) -> Rejected:
    return Rejected(Reason.RESOURCE_EXHAUSTED, f"over this tenant's quota: {what}", wait_s)
