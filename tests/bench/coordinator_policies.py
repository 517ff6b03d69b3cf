"""The coordinator's policies against simpler ones: fair queue, elastic pool, warm leases.

The real machine on a simulated clock; workers that take as long as they are told. Everything
comes from one seed, so a figure is the same on every machine.

    python -m tests.bench.coordinator_policies [--seed 1]
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random

from tests.simulation.network import Clock

from dcodex_coordinator import machine as machine_module
from dcodex_coordinator.balancer import Balancer, Decision, FarmLoad, LanguageLoad
from dcodex_coordinator.desk import Desk, DeskSettings
from dcodex_coordinator.execution import Execution
from dcodex_coordinator.fair_queue import FairQueue, Waiting
from dcodex_coordinator.machine import Machine, MachineSettings
from dcodex_coordinator.outbox import Send, Side
from dcodex_coordinator.pool import Worker
from dcodex_coordinator.supervisor import Supervisor
from dcodex_shared.messages import (
    Arm,
    Finished,
    Heartbeat,
    Hello,
    HostState,
    Lease,
    Message,
    Ready,
    Refused,
    Retire,
    Role,
    StartWorker,
    Submit,
    Verdict,
    WorkerExited,
)

#: Forking a template and building a sandbox; a worker process more takes that and a fork.
ARMING_S = 0.005
START_S = 0.03
DEFENDED_WAIT_S = 0.1


@dataclass(slots=True)
class Job:
    """One request of the load."""

    language: str
    lasts_s: float
    submitted: float
    then: Callable[[], None] | None = None
    leased: float = 0.0
    warm: bool = False


class Bench:
    """A machine, one host, and workers that do as they are told."""

    def __init__(
        self,
        seed: int,
        min_workers: int,
        max_workers: int,
        weights: dict[str, float] | None = None,
    ) -> None:
        self.clock = Clock()
        self.random = Random(seed)
        self.jobs: dict[str, Job] = {}
        self.done: list[Job] = []
        limit = 100_000
        desk = DeskSettings(weights or {}, max_workers, limit, limit, 0, 0, 0.0, False)
        self.machine = Machine(
            MachineSettings("bench", desk, min_workers, max_workers, DEFENDED_WAIT_S, 60.0),
            self.clock.now,
        )
        self.armed: dict[bytes, str] = {}
        self._tick()
        self.say(Side.GATEWAYS, b"gateway", Hello(Role.GATEWAY, "gateway"))
        self.say(Side.WORKERS, b"host", Hello(Role.HOST, "host"))
        languages = (("c", "1"), ("cpp", "1"), ("python", "1"))
        state = HostState(languages, max_workers, 1 << 44, 0.0, 0.0, 0.0, False)
        self.say(Side.WORKERS, b"host", state)
        self._beat()
        self.run(1.0)

    def run(self, seconds: float) -> None:
        """Let simulated time pass."""
        end = self.clock.now + seconds
        stop = False

        def finish() -> None:
            nonlocal stop
            stop = True

        self.clock.at(end, finish)
        while not stop:
            self.clock.step()

    def submit(self, language: str, lasts_s: float, then: Callable[[], None] | None = None) -> None:
        """A caller asks; `then` happens when it has its answer."""
        execution_id = f"e{len(self.jobs) + len(self.done)}"
        self.jobs[execution_id] = Job(language, lasts_s, self.clock.now, then)
        message = Submit(execution_id, "t", language, 0, 0.0, False, 1, 3600.0, b"", "", False)
        self.say(Side.GATEWAYS, b"gateway", message)

    def poisson(self, rate: float, seconds: float, ask: Callable[[], None]) -> None:
        """Ask at random moments, so many a second, from now on for a while."""
        end = self.clock.now + seconds

        def again() -> None:
            if self.clock.now < end:
                ask()
                self.clock.after(self.random.expovariate(rate), again)

        self.clock.after(self.random.expovariate(rate), again)

    def say(self, side: Side, peer: bytes, message: Message) -> None:
        """A peer says something; what the machine answers happens."""
        is_new = type(message) is Hello
        if is_new or self.machine.is_connected(side, peer):
            self._perform(self.machine.receive(side, peer, message, b"", self.clock.now))

    def _tick(self) -> None:
        self._perform(self.machine.expire(self.clock.now))
        # As the broker would, but for a burst that makes something due meanwhile.
        due = max(self.machine.next_deadline(), self.clock.now + 0.001)
        self.clock.at(min(due, self.clock.now + 0.05), self._tick)

    def _beat(self) -> None:
        for peer in (b"host", *self.armed):
            self.say(Side.WORKERS, peer, Heartbeat())
        self.say(Side.GATEWAYS, b"gateway", Heartbeat())
        self.clock.after(1.0, self._beat)

    def _perform(self, sends: list[Send]) -> None:
        for send in sends:
            peer = send.peer
            match send.message:
                case StartWorker(worker_id=worker_id, language=language):
                    self.clock.after(START_S, partial(self._start, worker_id, language))
                case Lease(execution_id=execution_id, language=language):
                    job = self.jobs[execution_id]
                    job.leased = self.clock.now
                    job.warm = self.armed[peer] == language
                    self.armed[peer] = language
                    takes_s = job.lasts_s + (0.0 if job.warm else ARMING_S)
                    self.clock.after(takes_s, partial(self._finish, peer, execution_id))
                case Arm(language=language):
                    self.armed[peer] = language
                    self.clock.after(ARMING_S, partial(self._ready, peer))
                case Retire():
                    del self.armed[peer]
                    exited = WorkerExited(peer.decode(), "retired")
                    self.clock.after(0.001, partial(self.say, Side.WORKERS, b"host", exited))
                case Finished(execution_id=execution_id):
                    job = self.jobs.pop(execution_id)
                    self.done.append(job)
                    if job.then is not None:
                        job.then()
                case Refused():
                    raise AssertionError(send.message)
                case _:
                    pass

    def _start(self, worker_id: str, language: str) -> None:
        peer = worker_id.encode()
        self.armed[peer] = language
        self.say(Side.WORKERS, peer, Hello(Role.WORKER, worker_id))
        self._ready(peer)

    def _ready(self, peer: bytes) -> None:
        if peer in self.armed:
            self.say(Side.WORKERS, peer, Ready(self.armed[peer], ARMING_S))

    def _finish(self, peer: bytes, execution_id: str) -> None:
        end = Finished(execution_id, Verdict.OK, 0, 0, "", 0.0, 0.0, 0.0, 0, 0.0, False, False)
        self.say(Side.WORKERS, peer, end)
        self.clock.after(ARMING_S, partial(self._ready, peer))


def quantile(values: Collection[float], share: float) -> float:
    """The least value that so many of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


# --- fair queueing ---------------------------------------------------------------------------


def _first_in_first_out(
    self: FairQueue[Execution], can_run: Callable[[str], bool], armed: Collection[str]
) -> Waiting[Execution] | None:
    """What every other system does."""
    oldest = {name: self.oldest(name) for name in self.depths() if can_run(name)}
    waiting = {name: since for name, since in oldest.items() if since is not None}
    if not waiting:
        return None
    first = min(waiting, key=lambda name: waiting[name])
    return _fair_pop(self, lambda name: name == first, armed)


_fair_pop = FairQueue.pop


def flood(
    seed: int, callers: int = 16, workers: int = 4, seconds: float = 600.0
) -> dict[str, float]:
    """16 callers flood C++ (300 ms each), one runs a Python hello once a second."""
    bench = Bench(seed, workers, workers)

    def compile_again() -> None:
        bench.submit("cpp", bench.random.lognormvariate(-1.25, 0.3), compile_again)

    for _ in range(callers):
        compile_again()

    def hello() -> None:
        bench.submit("python", 0.01)
        bench.clock.after(1.0, hello)

    hello()
    bench.run(seconds)
    waits = [job.leased - job.submitted for job in bench.done if job.language == "python"]
    service = [job.lasts_s for job in bench.done if job.language == "cpp"]
    return {
        "python_wait_p50_s": quantile(waits, 0.5),
        "python_wait_p99_s": quantile(waits, 0.99),
        "mean_service_s": sum(service) / len(service),
        "runs_a_second": len(bench.done) / seconds,
    }


def shares(seed: int, seconds: float = 60.0) -> dict[str, float]:
    """Worker time of three languages that all flood four workers, by weight 3, 2 and 1."""
    services = {"python": 0.02, "c": 0.1, "cpp": 0.3}
    bench = Bench(seed, 4, 4, {"python": 3.0, "c": 2.0, "cpp": 1.0})

    def again(language: str, mean_s: float) -> None:
        lasts_s = bench.random.expovariate(1 / mean_s)
        bench.submit(language, lasts_s, partial(again, language, mean_s))

    for _ in range(16):
        for language, mean_s in services.items():
            again(language, mean_s)
    bench.run(seconds)
    taken = {name: sum(j.lasts_s for j in bench.done if j.language == name) for name in services}
    return {name: taken_s / sum(taken.values()) for name, taken_s in taken.items()}


# --- the elastic pool ------------------------------------------------------------------------


class TwoEveryFiveSeconds(Balancer):
    """The balancer to beat: while the wait is above the threshold, two workers every 5 s."""

    _size = 2
    _last = -5.0

    def decide(self, load: FarmLoad, now: float) -> Decision:
        """Two more, if five seconds have passed and somebody waits too long."""
        waits = any(one.wait_p99_s > DEFENDED_WAIT_S for one in load.languages.values())
        if waits and now - self._last >= 5.0:
            self._last = now
            self._size = min(self._size + 2, self._most)
        return Decision(self._size, "two more")


def recovery(seed: int, burst: int, rate: float, service_s: float) -> dict[str, float]:
    """How long the wait stays above the defended one, after a step of load or a burst."""
    bench = Bench(seed, 2, 40)

    def ask(rng: Random) -> None:
        bench.submit("python", rng.expovariate(1 / service_s))

    bench.poisson(1.0, 30.0, lambda: ask(bench.random))
    bench.run(30.0)
    began = bench.clock.now
    for _ in range(burst):
        ask(bench.random)
    if rate:
        bench.poisson(rate, 60.0, lambda: ask(bench.random))
    bench.run(120.0)
    late = [
        job.leased
        for job in bench.done
        if job.submitted >= began and job.leased - job.submitted > DEFENDED_WAIT_S
    ]
    waits = [job.leased - job.submitted for job in bench.done if job.submitted >= began]
    return {
        "seconds_until_the_wait_is_back": max(late, default=began) - began,
        "late_requests": float(len(late)),
        "wait_p99_s": quantile(waits, 0.99),
    }


# --- warm leases -----------------------------------------------------------------------------


def _no_remix(self: Supervisor, mix: Mapping[str, int], bound_s: float, now: float) -> None:
    """Workers stay armed for what they ran last."""


def _any_idle(self: Desk, language: str) -> Worker:
    """Whichever worker has been idle for longest."""
    workers = [worker for shelf in self._pool.idle.values() for worker in shelf]
    return min(workers, key=lambda worker: worker.since)


def _equal_mix(desired: int, loads: Mapping[str, LanguageLoad], favourite: str) -> dict[str, int]:
    return {name: desired // len(loads) for name in loads}


def warmth(seed: int, shifting: bool) -> dict[str, float]:
    """The share of leases to a worker that was armed for their language."""
    bench = Bench(seed, 4, 20)
    services = {"python": 0.03, "c": 0.1, "cpp": 0.3}
    phases = [{"python": 12.0, "c": 2.0, "cpp": 1.0}]
    if shifting:
        phases += [{"python": 1.0, "c": 8.0, "cpp": 1.0}, {"python": 2.0, "c": 1.0, "cpp": 6.0}]
    for _ in range(2 if shifting else 6):
        for rates in phases:
            for language, rate in rates.items():
                mean_s = services[language]

                def ask(language: str = language, mean_s: float = mean_s) -> None:
                    bench.submit(language, bench.random.expovariate(1 / mean_s))

                bench.poisson(rate, 60.0, ask)
            bench.run(60.0)
    counted = bench.done[200:]
    cold = sum(not job.warm for job in counted)
    return {
        "leases": float(len(counted)),
        "cold_share": cold / len(counted),
        # Without a pool every request waits for its sandbox to be armed.
        "cold_start_latency_saved": 1.0 - cold / len(counted),
    }


#: By load: our figures, and the simpler policy's.
Rows = dict[str, tuple[dict[str, float], dict[str, float]]]


class _Replaced:
    """Something of the machine's, replaced by something simpler for a while."""

    def __init__(self, *changes: tuple[object, str, object]) -> None:
        self._changes = changes
        self._kept: list[tuple[object, str, object]] = []

    def __enter__(self) -> None:
        for owner, name, value in self._changes:
            self._kept.append((owner, name, getattr(owner, name)))
            setattr(owner, name, value)

    def __exit__(self, *_: object) -> None:
        for owner, name, value in self._kept:
            setattr(owner, name, value)


def table(seed: int) -> Rows:
    """Every measurement, ours and the simpler one's."""
    fifo = _Replaced((FairQueue, "pop", _first_in_first_out))
    slow = _Replaced((machine_module, "Balancer", TwoEveryFiveSeconds))
    blind = _Replaced(
        (Supervisor, "remix", _no_remix),
        (Desk, "_choose", _any_idle),
        (machine_module, "mix", _equal_mix),
    )
    measurements: dict[str, tuple[_Replaced, Callable[[], dict[str, float]]]] = {
        "16 flood C++, 1 Python a second": (fifo, lambda: flood(seed)),
        "step from 1 to 40 requests/s, 100 ms each": (
            slow,
            lambda: recovery(seed, 0, 40.0, 0.1),
        ),
        "burst of 200, 50 ms each": (slow, lambda: recovery(seed, 200, 0.0, 0.05)),
        "warm leases, steady mix": (blind, lambda: warmth(seed, shifting=False)),
        "warm leases, shifting mix": (blind, lambda: warmth(seed, shifting=True)),
    }
    rows: Rows = {}
    for name, (simpler, measure) in measurements.items():
        ours = measure()
        with simpler:
            rows[name] = ours, measure()
    return rows


def main() -> None:
    """Print the table, two lines of JSON a measurement."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    for name, pair in table(arguments.seed).items():
        for policy, figures in zip(("dcodex", "simpler"), pair, strict=True):
            rounded = {key: round(value, 4) for key, value in figures.items()}
            print(json.dumps({"load": name, "policy": policy, **rounded}))


if __name__ == "__main__":
    main()
