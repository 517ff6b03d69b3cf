"""How many workers there should be, and armed for what: from figures to wishes, nothing else.

Theory of operation
-------------------
Little's law gives each language's mean number of busy workers n, from arrivals a second times
the seconds each occupies a worker. HEADROOM times the square root of n more are held ready for
what chance adds: then all but one request in a hundred find a worker armed for their language.
What waits already, or has waited longer than the wait that we defend, adds what would work it
off within that wait. The largest of these counts at once; a smaller one only when the larger has
not been needed for a whole cool-down. That is all the hysteresis there is: any load that returns
within the cool-down finds its workers still there.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

#: A language keeps one armed worker for so long after its last request.
LATELY_S = 300.0
#: What a request is thought to occupy a worker where none has ended yet, in seconds.
FIRST_OCCUPIED_S = 0.1
#: Deviations of a Poisson load that are held ready: one request in 250 or fewer finds more busy
#: than that (for n of 0.5, 1, 2, 5: 0.2 %, 0.4 %, 0.1 %, 0.2 %), which leaves room within 1 %
#: of cold leases for what the estimate of n is off. Idle workers share their template's memory.
HEADROOM = 3.0
#: Below this a language's load is noise that its one armed worker takes.
QUIET_LOAD = 0.02
#: Where tasks wait this share of the time for a CPU, more workers may mostly wait too, or they
#: may be what sleeping programs need: nobody can tell from outside. So the pool still grows,
#: by this share at a time and not at once.
HIGH_PRESSURE = 0.9
PRESSED_GROWTH = 0.5
PRESSED_STEP_S = 0.5
#: Waits above the defended one although nothing stands in the queue at this moment: grow by
#: this share at a time.
GROWTH = 0.25
GROWTH_STEP_S = 1.0


@dataclass(frozen=True, slots=True)
class LanguageLoad:
    """One language's figures at one moment."""

    #: Arrivals a second times the seconds each occupies a worker.
    workers_needed: float
    #: The running mean of the seconds from lease to ready; 0 where none has ended yet.
    occupied_s: float
    #: Requests that wait.
    depth: int
    #: Seconds that 99 of 100 requests of the last seconds have waited at most.
    wait_p99_s: float
    #: Seconds since the last arrival; infinite when there was none.
    quiet_s: float

    def staff(self) -> float:
        """Workers that its arrivals want: what is busy, and what chance adds."""
        if self.workers_needed < QUIET_LOAD:
            return 0.0
        return self.workers_needed + HEADROOM * math.sqrt(self.workers_needed)

    def backlog_s(self) -> float:
        """Worker time that what waits is thought to take, in seconds."""
        return self.depth * (self.occupied_s or FIRST_OCCUPIED_S)


@dataclass(frozen=True, slots=True)
class FarmLoad:
    """The whole farm's figures at one moment."""

    languages: Mapping[str, LanguageLoad]
    #: Workers that run something.
    busy: int
    #: Share of time in which some task waited for a CPU, on the calmest host, 0..1.
    pressure: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What the balancer wants, and why."""

    desired: int
    #: floor, arrivals, backlog, wait, pressure, ceiling or cool_down.
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
        #: What was decided last, and when it last grew by a step of either kind.
        self._desired = least
        self._grown_at = -math.inf
        self._pressed_at = -math.inf

    def decide(self, load: FarmLoad, now: float) -> Decision:
        """The size of the pool that this moment wants."""
        need, reason = self._need(load, now)
        if need > self._desired and load.pressure >= HIGH_PRESSURE:
            grown = self._desired
            if now >= self._pressed_at + PRESSED_STEP_S:
                self._pressed_at = now
                grown += math.ceil(PRESSED_GROWTH * self._desired)
            if grown < need:
                need, reason = grown, "pressure"
        if need > self._most:
            need, reason = self._most, "ceiling"
        if need <= self._least:
            need, reason = self._least, "floor"
        while self._peaks and self._peaks[-1][1] <= need:
            self._peaks.pop()
        self._peaks.append((now, need))
        while self._peaks[0][0] < now - self._cool_down_s:
            self._peaks.popleft()
        peak = self._peaks[0][1]
        self._desired = peak
        return Decision(peak, "cool_down" if peak > need else reason)

    def _need(self, load: FarmLoad, now: float) -> tuple[int, str]:
        languages = load.languages.values()
        need, reason = sum(math.ceil(one.staff()) for one in languages), "arrivals"
        work_s = sum(one.backlog_s() for one in languages)
        if work_s:
            # So many that what waits is worked off within the wait that we defend.
            backlog = load.busy + math.ceil(work_s / self._defended_wait_s)
            if backlog > need:
                need, reason = backlog, "backlog"
        waits_s = max((one.wait_p99_s for one in languages), default=0.0)
        if waits_s > self._defended_wait_s and load.busy >= self._desired >= need:
            need, reason = self._desired, "wait"
            if now >= self._grown_at + GROWTH_STEP_S:
                self._grown_at = now
                need += math.ceil(GROWTH * self._desired)
        return need, reason


def mix(desired: int, loads: Mapping[str, LanguageLoad], favourite: str) -> dict[str, int]:
    """How many of `desired` workers to arm for each language.

    One each for those asked for lately (for all, where none was), the rest in proportion to
    what each wants. Where there are fewer workers than languages, the needier ones get them,
    and among equals the favourite. In order of need: who fills this one by one serves the
    needier first.
    """
    if not loads:
        return {}
    wants = {name: load.staff() + load.backlog_s() for name, load in loads.items()}
    ranked = sorted(loads, key=lambda name: (-wants[name], name != favourite, name))
    lately = [name for name in ranked if loads[name].quiet_s < LATELY_S]
    wanted = dict.fromkeys(ranked, 0)
    for name in (lately or ranked)[:desired]:
        wanted[name] = 1
    rest = desired - sum(wanted.values())
    # First what each wants, in proportion where there is too little of it; then what is left
    # over in proportion as well.
    lacking = {name: max(0, math.ceil(wants[name]) - wanted[name]) for name in ranked}
    shares = lacking if sum(lacking.values()) >= rest else None
    if shares is None:
        for name, count in lacking.items():
            wanted[name] += count
        rest = desired - sum(wanted.values())
        first = favourite if favourite in loads else ranked[0]
        weights = wants if sum(wants.values()) > 0 else {first: 1.0}
    else:
        weights = {name: float(count) for name, count in shares.items()}
    _share_out(rest, weights, wanted)
    return wanted


def _share_out(count: int, weights: Mapping[str, float], wanted: dict[str, int]) -> None:
    """Add `count` to what is wanted, in proportion, by the largest remainder."""
    total = sum(weights.values())
    if count <= 0 or total <= 0:
        return
    exact = {name: count * weight / total for name, weight in weights.items()}
    for name, share in exact.items():
        wanted[name] += math.floor(share)
    left = count - sum(math.floor(share) for share in exact.values())
    remainders = sorted(exact, key=lambda name: exact[name] % 1.0, reverse=True)
    for name in remainders[:left]:
        wanted[name] += 1
