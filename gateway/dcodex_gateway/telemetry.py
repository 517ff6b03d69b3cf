"""Traces for OpenTelemetry, where the operator names a collector: the SDK's only user.

Requests carry stamps of every process they pass (messages.Submit.trace), so the gateway alone
tells a collector of all of them, after the answer has gone out. The SDK sends from a thread of
its own, out of a queue of bounded size: a collector that is slow or gone costs spans, not calls.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from dcodex_gateway.spans import Parent, Span, attributes, build_spans
from dcodex_shared.config import ConfigError
from dcodex_shared.errors import Rejected
from dcodex_shared.messages import Finished, Verdict

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.export import SpanExporter

#: Spans that wait for the collector: some seconds' worth of a busy gateway; more are dropped.
QUEUE_MOST = 8192
#: How long the collector may take for a batch, in seconds; at the end of the process too.
EXPORT_S = 3.0
SERVICES = ("gateway", "coordinator", "worker")


class Telemetry:
    """Where finished requests are told of."""

    def __init__(self, exporter: SpanExporter) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self._processor = BatchSpanProcessor(
            exporter, max_queue_size=QUEUE_MOST, export_timeout_millis=EXPORT_S * 1000
        )
        self._tracers = {}
        for service in SERVICES:
            # Each process is a service of its own to whoever looks at traces.
            provider = TracerProvider(
                resource=Resource({"service.name": f"dcodex-{service}"}), shutdown_on_exit=False
            )
            provider.add_span_processor(self._processor)
            self._tracers[service] = provider.get_tracer("dcodex")

    def tell(
        self, spans: Sequence[Span], parent: Parent, told: Mapping[str, str], error: str
    ) -> None:
        """One request's spans, now that it has ended.

        told: its attributes. error: of the call; empty: it was answered.
        """
        from opentelemetry import trace

        # Collectors go by the wall clock; a step of it can but misplace a span.
        offset = time.time() - time.monotonic()
        made: list[Any] = []
        for span in spans:
            own = span.parent < 0
            started = self._tracers[span.service].start_span(
                span.name,
                _context(parent) if own else trace.set_span_in_context(made[span.parent]),
                kind=trace.SpanKind.SERVER if own else trace.SpanKind.INTERNAL,
                attributes=told if own else None,
                start_time=_ns(span.start + offset),
            )
            for event, at in span.events:
                started.add_event(event, timestamp=_ns(at + offset))
            if own and error:
                started.set_status(trace.StatusCode.ERROR, error)
            made.append(started)
        for span, started in zip(spans, made, strict=True):
            started.end(_ns(span.end + offset))

    def close(self) -> None:
        """Send what waits, for EXPORT_S at the most."""
        self._processor.shutdown()  # type: ignore[no-untyped-call] # the SDK left it untyped


def open_telemetry(endpoint: str) -> Telemetry | None:
    """Telemetry to the OTLP/HTTP collector at this URL; None: there is no URL.

    Raises ConfigError.
    """
    if not endpoint:
        return None
    if not endpoint.startswith(("http://", "https://")):
        raise ConfigError(f"otlp_endpoint must be http://HOST:PORT or https://…, got {endpoint!r}")
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise ConfigError(
            f"otlp_endpoint needs the OpenTelemetry SDK ({error.name} is missing): "
            "pip install 'dcodex[otel]'"
        ) from None
    url = f"{endpoint.rstrip('/')}/v1/traces"
    return Telemetry(OTLPSpanExporter(endpoint=url, timeout=EXPORT_S))


class Traced:
    """Around a call: tells of it when it has ended, however that is."""

    __slots__ = ("_name", "_parent", "_received", "_telemetry", "_who", "finished")

    def __init__(
        self,
        telemetry: Telemetry,
        name: str,
        received: float,
        parent: Parent,
        who: tuple[str, str, str],
    ) -> None:
        """received: when the call came in. who: execution id, tenant and language."""
        self._telemetry = telemetry
        self._name = name
        self._received = received
        self._parent = parent
        self._who = who
        #: How it ended; to be set by whoever answers the call.
        self.finished: Finished | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        finished = self.finished
        stamps: tuple[tuple[str, float], ...] = ()
        verdict = worker_id = ""
        if finished is not None:
            stamps, worker_id = finished.stamps, finished.worker_id
            verdict = Verdict(finished.verdict).name
        words = ""
        if error is not None:
            words = error.reason.name if isinstance(error, Rejected) else "CANCELLED"
        spans = build_spans(self._name, self._received, time.monotonic(), stamps)
        told = attributes(*self._who, verdict, worker_id)
        # Not before the answer, which goes out first.
        asyncio.get_running_loop().call_soon(self._telemetry.tell, spans, self._parent, told, words)


class NotTraced:
    """Around a call that nobody wants to hear of."""

    __slots__ = ("finished",)

    finished: Finished | None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


NOT_TRACED = NotTraced()


def _context(parent: Parent) -> Context | None:
    from opentelemetry import trace

    if not parent.trace_id:
        return None
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED)
    above = trace.SpanContext(parent.trace_id, parent.span_id, is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(trace.NonRecordingSpan(above))


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
