"""What was seen of a farm, and what follows from it (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dcodex.values import FarmSnapshot, Language, WorkerState
from dcodex_shared.findings import Finding

#: A certificate with less than this left is to be renewed now, in seconds.
RENEW_S = 21 * 86400.0
#: Clocks further apart than this make logs of two machines unreadable, in seconds; the HTTP
#: header that tells the other's counts in whole ones.
SKEW_MOST_S = 3.0
#: Nobody should wait longer for a worker, in seconds.
WAIT_MOST_S = 10.0

_HOST_JOURNAL = (
    "the worker host's journal names the step and errno (`journalctl -u dcodex-worker`); "
    "`dcodex doctor` on that machine says what it lacks"
)
#: What a process that is there, and not ready, lacks.
_NOT_READY = {
    "gateway": "it has no coordinator, or that has no workers: see the lines above",
    "coordinator": "no worker is there: see the worker host's journal",
    "host": "it has not met the coordinator, or is draining: its journal says which",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What a program that was sent came to."""

    language: str
    #: What went wrong; empty: it did what it was sent for.
    error: str
    #: Until its first output and until its end, in seconds.
    first_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class Page:
    """What a process's HTTP port said."""

    address: str
    #: Why nothing was said; empty where something was.
    error: str
    healthy: bool = False
    ready: bool = False
    #: By dcodex_build_info.
    process: str = ""
    version: str = ""
    protocol: str = ""
    #: How far its clock is ahead of this machine's, in seconds; None: it did not tell.
    skew_s: float | None = None


def judge_trial(trial: Trial) -> Finding:
    """One language, by a real program."""
    name = f"run {trial.language}"
    if trial.error:
        return Finding(name, False, True, trial.error, _HOST_JOURNAL)
    text = (
        f"spoke after {trial.first_s * 1e3:.0f} ms, was answered while it ran, "
        f"ended after {trial.total_s * 1e3:.0f} ms"
    )
    return Finding(name, True, True, text)


def judge_languages(languages: Sequence[Language]) -> Finding:
    """Whether any host offers anything."""
    if languages:
        text = ", ".join(f"{language.name} {language.version}" for language in languages)
        return Finding("hosts", True, True, f"they offer {text}")
    return Finding(
        "hosts",
        False,
        True,
        "no worker host has joined the coordinator",
        "start one (`systemctl start dcodex-worker`); where one runs, its journal says why it "
        "has not joined: worker_endpoint, keys, or `dcodex doctor` there",
    )


def judge_workers(farm: FarmSnapshot) -> Finding:
    """Whether there is anybody to run programs."""
    alive = [worker for worker in farm.workers if worker.state is not WorkerState.SHUTDOWN]
    if not alive:
        return Finding("workers", False, True, "there are none", _HOST_JOURNAL)
    states = Counter(worker.state.name.lower() for worker in alive)
    armed = Counter(worker.language for worker in alive)
    hosts = len({worker.host for worker in alive})
    text = (
        f"{len(alive)} on {hosts} host{'s' if hosts > 1 else ''}: {_counts(states)}; "
        f"for {_counts(armed)}"
    )
    return Finding("workers", True, True, text)


def judge_queues(farm: FarmSnapshot) -> Finding:
    """Whether anybody waits too long."""
    depth = sum(queue.depth for queue in farm.queues)
    oldest_s = max((queue.oldest_wait_s for queue in farm.queues), default=0.0)
    text = f"{depth} waiting, the oldest for {oldest_s:.1f} s"
    remedy = (
        "raise max_workers or add a host; `dcodex top` shows which language waits, "
        "dcodex_host_pressure_ratio whether the machines are full"
    )
    return Finding("queues", oldest_s <= WAIT_MOST_S, False, text, remedy)


def judge_health(status: str, trials: Sequence[Trial]) -> Finding:
    """Whether what the gateway says of itself is what was seen.

    status: of grpc.health.v1; empty where it gave none.
    """
    if not status:
        return Finding(
            "health",
            False,
            True,
            "the service at the target has no grpc.health.v1",
            "something else than a gateway serves there: check --target",
        )
    serves = any(not trial.error for trial in trials)
    told = status == "SERVING"
    text = f"says {status}, and programs {'ran' if serves else 'could not be run'}"
    remedy = (
        "the gateway's view is stale or its workers fail: see the other lines; if there are "
        "none, restart it and report this"
    )
    return Finding("health", told == serves, True, text, remedy)


def judge_page(page: Page) -> Finding:
    """One process's HTTP port."""
    name = f"port {page.address.rpartition(':')[2]}"
    if page.error:
        return Finding(
            name,
            False,
            True,
            f"http://{page.address}: {page.error}",
            "start that process, or say where it serves metrics: --metrics HOST:PORT "
            "(its setting is metrics_port, its log names the port at the start)",
        )
    what = f"{page.process or 'a process that does not say which'} {page.version}".rstrip()
    if not page.healthy:
        return Finding(name, False, True, f"{what} is not healthy", "restart it")
    if not page.ready:
        remedy = _NOT_READY.get(page.process, "its journal says what it waits for")
        return Finding(name, False, True, f"{what} is not ready", remedy)
    return Finding(name, True, True, f"{what}: /metrics, /healthz and /readyz answer")


def judge_versions(own: str, pages: Sequence[Page]) -> Finding | None:
    """Whether everything is of one version; None: nothing told its own."""
    seen: dict[str, list[str]] = {own: ["this command"]}
    for page in pages:
        if page.version:
            seen.setdefault(page.version, []).append(f"{page.process} at {page.address}")
    if not any(page.version for page in pages):
        return None
    if len(seen) == 1:
        return Finding("versions", True, True, f"all are {own}")
    text = "; ".join(f"{version}: {', '.join(whose)}" for version, whose in seen.items())
    protocols = {page.protocol for page in pages if page.protocol}
    remedy = "restart what is older, one after the other"
    # One protocol, and they understand each other: a rolling upgrade looks like this.
    return Finding("versions", False, len(protocols) > 1, text, remedy)


def judge_clock(pages: Sequence[Page]) -> Finding | None:
    """Whether all clocks agree; None: nothing told its own."""
    skews: Mapping[str, float] = {
        page.address: page.skew_s for page in pages if page.skew_s is not None
    }
    if not skews:
        return None
    address, skew_s = max(skews.items(), key=lambda item: abs(item[1]))
    if abs(skew_s) <= SKEW_MOST_S:
        return Finding("clock", True, False, f"within {SKEW_MOST_S:g} s of this machine's")
    text = f"{address} is {abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} this machine"
    remedy = "run chrony or systemd-timesyncd on both: certificates and logs go by the clock"
    return Finding("clock", False, False, text, remedy)


def judge_expiry(name: str, whose: str, ends: Sequence[float], now: float) -> Finding:
    """Certificates, by when the first of them ends; seconds since 1970."""
    left_s = min(ends) - now
    days = left_s / 86400
    if left_s <= 0:
        text, required = f"{whose} ended {-days:.0f} days ago", True
    else:
        text, required = f"{whose} is good for {days:.0f} more days", False
    remedy = "renew it and put it into the same file: it is read again without a restart"
    return Finding(name, left_s >= RENEW_S, required, text, remedy)


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counter.items()))
