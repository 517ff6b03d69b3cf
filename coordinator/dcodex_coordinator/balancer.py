"""How many workers there should be, and armed for what: from figures to wishes, nothing else."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

#: A language keeps one armed worker for so long after its last request.
LATELY_S = 300.0
#: What a request is thought to occupy a worker where none has ended yet, in seconds.
FIRST_OCCUPIED_S = 0.1
#: Bursts are to deviations what square-root staffing says: this many of them are held ready.
HEADROOM = 2.0


@dataclass(frozen=True, slots=True)
class LanguageLoad:
    """One language's figures at one moment."""

    #: Decayed arrivals a second times the seconds each occupies a worker.
    workers_needed: float
    #: The running mean of the seconds from lease to ready; 0 where none has ended yet.
    occupied_s: float
    #: Requests that wait.
    depth: int
    #: Seconds that the oldest of them has waited.
    oldest_wait_s: float
    #: Seconds since the last arrival; infinite when there was none.
    quiet_s: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What the balancer wants, and why."""

    desired: int
    #: floor, arrivals, backlog, ceiling or cool-down.
    reason: str


class Balancer:
    """Fast up, slow down: what is needed now, but never below what the cool-down remembers."""

    def __init__(self, least: int, most: int, defended_wait_s: float, cool_down_s: float) -> None:
        self._least = least
        self._most = most
        self._defended_wait_s = max(0.001, defended_wait_s)
        self._cool_down_s = cool_down_s
        #: (time, need) with times rising and needs falling: the first is the window's peak.
        self._peaks: deque[tuple[float, int]] = deque()

    def decide(self, loads: Mapping[str, LanguageLoad], busy: int, now: float) -> Decision:
        """The size of the pool that this moment wants."""
        steady = sum(load.workers_needed for load in loads.values())
        need = math.ceil(steady + HEADROOM * math.sqrt(steady)) if steady > 0.05 else 0
        reason = "arrivals"
        work_s = sum(load.depth * (load.occupied_s or FIRST_OCCUPIED_S) for load in loads.values())
        if work_s:
            # So many that what waits is worked off within the wait that we defend.
            backlog = busy + math.ceil(work_s / self._defended_wait_s)
            if backlog > need:
                need, reason = backlog, "backlog"
        if need > self._most:
            need, reason = self._most, "ceiling"
        if need <= self._least:
            need, reason = self._least, "floor"
        while self._peaks and self._peaks[-1][1] <= need:
            self._peaks.pop()
        self._peaks.append((now, need))
        while self._peaks[0][0] < now - self._cool_down_s:
            self._peaks.popleft()
        if self._peaks[0][1] > need:
            return Decision(self._peaks[0][1], "cool-down")
        return Decision(need, reason)


def mix(desired: int, loads: Mapping[str, LanguageLoad], favourite: str) -> dict[str, int]:
    """How many of `desired` workers to arm for each language.

    One each for those asked for lately (for all, where none was), the rest in proportion to
    what each needs. Where there are fewer workers than languages, the needier ones get them,
    and among equals the favourite.
    """
    if not loads:
        return {}

    def need(name: str) -> float:
        load = loads[name]
        waiting = load.depth * (load.occupied_s or FIRST_OCCUPIED_S)
        return load.workers_needed + waiting

    ranked = sorted(loads, key=lambda name: (-need(name), name != favourite, name))
    lately = [name for name in ranked if loads[name].quiet_s < LATELY_S]
    # In order of rank: who fills this one by one serves the needier first.
    wanted = dict.fromkeys(ranked, 0)
    for name in (lately or ranked)[:desired]:
        wanted[name] = 1
    rest = desired - sum(wanted.values())
    total = sum(map(need, loads))
    if rest and total <= 0:
        wanted[favourite if favourite in loads else ranked[0]] += rest
    elif rest:
        # Largest remainder over what exceeds the one that each has already.
        shares = {name: desired * need(name) / total for name in loads}
        excess = {name: max(0.0, shares[name] - wanted[name]) for name in loads}
        scale = rest / sum(excess.values()) if any(excess.values()) else 0.0
        for name in loads:
            wanted[name] += math.floor(excess[name] * scale)
        remainder = sorted(ranked, key=lambda name: excess[name] * scale % 1.0, reverse=True)
        for name in remainder[: desired - sum(wanted.values())]:
            wanted[name] += 1
    return wanted
