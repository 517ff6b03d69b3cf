"""The gateway's figures as Prometheus families."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from dcodex_gateway.figures import LATENCY_BUCKETS_S, Figures
from dcodex_gateway.hub import Hub


class GatewayCollector(Collector):
    """Reads at a scrape what the loop has counted; a copy of a dict is atomic under the GIL."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        """Every family of ours."""
        figures, link = self._hub.figures, self._hub.link
        yield from _calls(figures)
        yield _gauge("executions", "Executions under way.", self._hub.executions)
        yield _gauge("coordinator_up", "1 while the coordinator answers.", link.up)
        yield _gauge("serving", "1 while a program sent now could run.", self._hub.serving)
        for name, text, value in (
            ("stdin_bytes", "stdin taken from callers.", figures.stdin_bytes),
            ("output_bytes", "Output of programs given to callers.", figures.output_bytes),
            ("coordinator_sent_bytes", "Sent to the coordinator.", link.bytes_sent),
            ("coordinator_received_bytes", "Received from the coordinator.", link.bytes_received),
        ):
            yield CounterMetricFamily(f"dcodex_gateway_{name}", text, value=value)
        dropped = CounterMetricFamily(
            "dcodex_gateway_dropped_messages",
            "Messages from the coordinator that were dropped.",
            labels=("reason",),
        )
        dropped.add_metric(("malformed",), link.malformed)
        dropped.add_metric(("senseless",), figures.senseless)
        yield dropped
        yield CounterMetricFamily(
            "dcodex_gateway_sent_again",
            "Programs that a draining coordinator gave back and its successor got.",
            value=figures.sent_again,
        )


def _calls(figures: Figures) -> Iterator[Metric]:
    calls = CounterMetricFamily(
        "dcodex_gateway_calls", "Ended gRPC calls.", labels=("method", "code")
    )
    for (method, code), count in dict(figures.calls).items():
        calls.add_metric((method, code), count)
    yield calls
    under_way = GaugeMetricFamily(
        "dcodex_gateway_calls_in_flight", "gRPC calls under way.", labels=("method",)
    )
    for method, count in dict(figures.in_flight).items():
        under_way.add_metric((method,), count)
    yield under_way
    latency = HistogramMetricFamily(
        "dcodex_gateway_call_duration_seconds",
        "From a call's arrival to its end.",
        labels=("method",),
    )
    for method, histogram in dict(figures.latency).items():
        buckets, total = [], 0
        for bound, count in zip((*LATENCY_BUCKETS_S, "+Inf"), histogram.counts, strict=True):
            total += count
            buckets.append((str(bound), float(total)))
        latency.add_metric((method,), buckets, histogram.sum_s)
    yield latency


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"dcodex_gateway_{name}", text, value=float(value))


def make_registry(hub: Hub) -> CollectorRegistry:
    """The registry of the process: our figures, and the process's own."""
    registry = CollectorRegistry()
    registry.register(GatewayCollector(hub))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry
