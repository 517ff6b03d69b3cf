"""The host's figures for Prometheus, fed by the reports of its workers."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

from dcodex_shared.messages import Verdict
from dcodex_worker.pressure import Pressure
from dcodex_worker.reports import CompileCache, Kind, Report

#: From a warm fork of a millisecond to a machine in trouble.
ARMING_BUCKETS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0, 5.0)
#: From a hello to the longest wall limit.
EXECUTION_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 300)


class Metrics:
    """All series of one host."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._arming = Histogram(
            "dcodex_sandbox_arming_seconds",
            "Time to arm a fresh sandbox.",
            ("language",),
            buckets=ARMING_BUCKETS,
            registry=self.registry,
        )
        self._arming_failures = Counter(
            "dcodex_sandbox_arming_failures_total",
            "Sandboxes that could not be armed.",
            ("language",),
            registry=self.registry,
        )
        self._executions = Counter(
            "dcodex_executions_total",
            "Executions ended on this host, by verdict.",
            ("language", "verdict"),
            registry=self.registry,
        )
        self._execution_time = Histogram(
            "dcodex_execution_seconds",
            "Wall time of programs from hand-over to their end, compiling not counted in.",
            ("language",),
            buckets=EXECUTION_BUCKETS,
            registry=self.registry,
        )
        self._forwarded = Counter(
            "dcodex_bytes_forwarded_total",
            "Output of programs passed on.",
            ("language",),
            registry=self.registry,
        )
        self._compile_cache = Counter(
            "dcodex_compile_cache_requests_total",
            "Compiles asked of the compile cache, by result.",
            ("language", "result"),
            registry=self.registry,
        )
        self._processes = Gauge(
            "dcodex_worker_processes", "Worker processes on this host.", registry=self.registry
        )
        self._restarts = Counter(
            "dcodex_template_restarts_total",
            "Warm templates started again, after a death or to renew them.",
            registry=self.registry,
        )
        self._dropped = Counter(
            "dcodex_worker_reports_dropped_total",
            "Reports of workers that did not reach the host; these figures lack them.",
            registry=self.registry,
        )
        self._malformed = Counter(
            "dcodex_host_messages_dropped_total",
            "Messages from the coordinator that were none.",
            registry=self.registry,
        )
        self._available = Gauge(
            "dcodex_host_memory_available_bytes",
            "Memory that sandboxes may still take.",
            registry=self.registry,
        )
        self._degraded = Gauge(
            "dcodex_host_degraded",
            "1 for each guarantee that this host does without, as its operator allowed.",
            ("guarantee",),
            registry=self.registry,
        )
        self._pressure = Gauge(
            "dcodex_host_pressure_ratio",
            "Share of the last 10 seconds in which some task waited; -1 where unknown.",
            ("resource",),
            registry=self.registry,
        )
        self._template_restarts = 0
        self._malformed_seen = 0

    def name_degraded(self, names: tuple[str, ...]) -> None:
        """The guarantees that this host does without, of a few known names."""
        for name in names:
            self._degraded.labels(name).set(1)

    def take(self, report: Report) -> None:
        """Count one report."""
        if report.dropped:
            self._dropped.inc(report.dropped)
        language = report.language
        match report.kind:
            case Kind.ARMED:
                self._arming.labels(language).observe(report.seconds)
            case Kind.ARMING_FAILED:
                self._arming_failures.labels(language).inc()
            case Kind.FINISHED:
                self._executions.labels(language, Verdict(report.verdict).name.lower()).inc()
                self._execution_time.labels(language).observe(report.seconds)
                self._forwarded.labels(language).inc(report.output_bytes)
                if report.compile_cache is not CompileCache.UNUSED:
                    result = report.compile_cache.name.lower()
                    self._compile_cache.labels(language, result).inc()

    def show(
        self, processes: int, template_restarts: int, malformed: int, pressure: Pressure
    ) -> None:
        """Set what is looked at once a second."""
        self._processes.set(processes)
        self._restarts.inc(max(0, template_restarts - self._template_restarts))
        self._template_restarts = template_restarts
        self._malformed.inc(max(0, malformed - self._malformed_seen))
        self._malformed_seen = malformed
        self._available.set(pressure.memory_available_bytes)
        self._pressure.labels("cpu").set(pressure.cpu)
        self._pressure.labels("memory").set(pressure.memory)
