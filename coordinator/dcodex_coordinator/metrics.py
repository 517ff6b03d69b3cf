"""The coordinator's figures as Prometheus wants them, read from the machine at each scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from dcodex_coordinator.figures import LanguageFigures
from dcodex_coordinator.histograms import Histogram
from dcodex_coordinator.machine import Machine
from dcodex_shared.errors import Reason
from dcodex_shared.messages import Verdict


def registry(machine: Machine, lock: AbstractContextManager[object]) -> CollectorRegistry:
    """A registry that shows this machine; `lock` keeps its loop away during a scrape."""
    made = CollectorRegistry()
    made.register(_MachineCollector(machine, lock))
    return made


class _MachineCollector(Collector):
    def __init__(self, machine: Machine, lock: AbstractContextManager[object]) -> None:
        self._machine = machine
        self._lock = lock

    def describe(self) -> list[Metric]:
        """Nothing: registering must not read the machine."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every metric at this moment."""
        with self._lock:
            metrics = [*_farm(self._machine), *_languages(self._machine), *_counts(self._machine)]
        yield from metrics


def _farm(machine: Machine) -> Iterator[Metric]:
    figures = machine.figures
    workers = GaugeMetricFamily(
        "dcodex_workers", "Worker processes by state and language.", labels=["state", "language"]
    )
    for (state, language), count in machine.worker_counts().items():
        workers.add_metric([state, language], count)
    yield workers
    yield GaugeMetricFamily(
        "dcodex_workers_starting", "Worker processes asked for, not ready.", machine.starting()
    )
    peers = GaugeMetricFamily("dcodex_peers", "Connections by role.", labels=["role"])
    for role, count in machine.peer_counts().items():
        peers.add_metric([role], count)
    yield peers
    depth = GaugeMetricFamily("dcodex_queue_depth", "Waiting requests.", labels=["language"])
    for language, count in machine.queue_depths().items():
        depth.add_metric([language], count)
    yield depth
    oldest = GaugeMetricFamily(
        "dcodex_queue_oldest_wait_seconds",
        "How long the request that waits longest has waited.",
        labels=["language"],
    )
    for language, waited_s in machine.oldest_waits().items():
        oldest.add_metric([language], waited_s)
    yield oldest
    yield GaugeMetricFamily(
        "dcodex_workers_desired", "Workers that the balancer wants.", figures.workers_desired
    )
    mix = GaugeMetricFamily(
        "dcodex_workers_desired_by_language",
        "Workers that the balancer wants armed for a language.",
        labels=["language"],
    )
    for language, count in figures.desired_mix.items():
        mix.add_metric([language], count)
    yield mix
    yield GaugeMetricFamily(
        "dcodex_cache_entries", "Results in the result cache.", figures.cache_entries
    )
    yield GaugeMetricFamily(
        "dcodex_cache_size_bytes", "Size of the result cache.", figures.cache_bytes
    )


def _languages(machine: Machine) -> Iterator[Metric]:
    languages = machine.figures.languages
    leases = CounterMetricFamily(
        "dcodex_leases",
        "Leases, warm where the worker was armed for the language.",
        labels=["language", "armed"],
    )
    executions = CounterMetricFamily(
        "dcodex_executions",
        "Executions that a worker ended, by verdict.",
        labels=["language", "verdict"],
    )
    for name, figures in languages.items():
        leases.add_metric([name, "warm"], figures.warm)
        leases.add_metric([name, "cold"], figures.cold)
        for verdict, count in figures.verdicts.items():
            executions.add_metric([name, Verdict(verdict).name.lower()], count)
    yield leases
    yield executions
    yield _histogram(
        "dcodex_queue_wait_seconds", "From receipt to lease.", languages, lambda one: one.wait
    )
    yield _histogram(
        "dcodex_execution_seconds", "From lease to end.", languages, lambda one: one.run
    )
    yield _histogram(
        "dcodex_arming_seconds",
        "Arming one sandbox, as its worker tells.",
        languages,
        lambda one: one.arming,
    )


def _counts(machine: Machine) -> Iterator[Metric]:
    figures = machine.figures
    plain = (
        ("dcodex_cache_hits", "Requests answered by the result cache.", figures.cache_hits),
        ("dcodex_cache_misses", "Cacheable requests that had to run.", figures.cache_misses),
        ("dcodex_shared_runs", "Requests answered by an identical run.", figures.shared_runs),
        ("dcodex_output_bytes", "Program output passed on.", figures.output_bytes),
        ("dcodex_stdin_bytes", "Stdin passed on.", figures.stdin_bytes),
        ("dcodex_workers_started", "Workers asked for.", figures.workers_started),
        ("dcodex_workers_retired", "Workers let go.", figures.workers_retired),
        (
            "dcodex_connections_refused",
            "Connections over TCP turned away for their key.",
            figures.connections_refused,
        ),
    )
    for name, text, count in plain:
        yield CounterMetricFamily(name, text, count)
    refused = CounterMetricFamily("dcodex_requests_refused", "By reason.", labels=["reason"])
    for reason, count in figures.refused.items():
        refused.add_metric([Reason(reason).name.lower()], count)
    yield refused
    dropped = CounterMetricFamily("dcodex_messages_dropped", "By reason.", labels=["reason"])
    for why, count in figures.dropped.items():
        dropped.add_metric([why], count)
    yield dropped
    lost = CounterMetricFamily("dcodex_workers_lost", "By reason.", labels=["reason"])
    for why, count in figures.workers_lost.items():
        lost.add_metric([why], count)
    yield lost
    decisions = CounterMetricFamily(
        "dcodex_scale_decisions",
        "Changes of the desired number of workers.",
        labels=["direction", "reason"],
    )
    for (direction, why), count in figures.scale_decisions.items():
        decisions.add_metric([direction, why], count)
    yield decisions


def _histogram(
    name: str,
    text: str,
    languages: dict[str, LanguageFigures],
    read: Callable[[LanguageFigures], Histogram],
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, text, labels=["language"])
    for language, figures in languages.items():
        histogram = read(figures)
        family.add_metric([language], histogram.cumulative(), histogram.total)
    return family
