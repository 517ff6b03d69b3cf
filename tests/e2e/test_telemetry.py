"""A request's trace as a collector gets it: over OTLP, from a real farm."""

from __future__ import annotations

import gzip
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import pytest

from dcodex.testing import Farm, quiet_flags
from dcodex_proto.v1 import executor_pb2 as pb
from dcodex_proto.v1.executor_pb2_grpc import ExecutorStub

trace_service = pytest.importorskip(
    "opentelemetry.proto.collector.trace.v1.trace_service_pb2",
    reason="needs the OpenTelemetry SDK: pip install 'dcodex[otel]'",
)

PATIENCE_S = 60.0
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector(BaseHTTPRequestHandler):
    """Takes what is sent to /v1/traces."""

    spans: queue.Queue[tuple[str, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        request = trace_service.ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            (service,) = [
                attribute.value.string_value
                for attribute in resource.resource.attributes
                if attribute.key == "service.name"
            ]
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.put((service, span))
        self.send_response(200 if self.path == "/v1/traces" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def spans() -> Iterator[queue.Queue[tuple[str, Any]]]:
    Collector.spans = queue.Queue()
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        Collector.address = f"http://127.0.0.1:{server.server_address[1]}"  # type: ignore[attr-defined] # for the farm
        yield Collector.spans
        server.shutdown()


@pytest.fixture(scope="module")
def native(spans: queue.Queue[tuple[str, Any]]) -> Iterator[ExecutorStub]:
    flags = (f"--otlp_endpoint={Collector.address}", "--trace_ratio=0", "--preload=")  # type: ignore[attr-defined] # as above
    with Farm(*quiet_flags(2), *flags) as farm, grpc.insecure_channel(farm.target) as channel:
        yield ExecutorStub(channel)


def metadata(sampled: bool) -> tuple[tuple[str, str], ...]:
    return (("traceparent", f"00-{TRACE}-{PARENT}-0{int(sampled)}"),)


def collect(spans: queue.Queue[tuple[str, Any]], count: int) -> dict[str, tuple[str, Any]]:
    """So many spans, by name."""
    got = [spans.get(timeout=PATIENCE_S) for _ in range(count)]
    return {span.name: (service, span) for service, span in got}


def test_a_callers_trace_goes_on_through_every_process(
    native: ExecutorStub, spans: queue.Queue[tuple[str, Any]]
) -> None:
    start = pb.Start(language="python", source=b"print('secret-of-mine')", execution_id="mine")
    # What its caller does not trace is not told of, nor what nobody traces: see the next check.
    native.Run(pb.Start(language="python", source=b"1"), timeout=PATIENCE_S)
    native.Run(start, timeout=PATIENCE_S, metadata=metadata(False))
    reply = native.Run(start, timeout=PATIENCE_S, metadata=metadata(True))
    assert reply.stdout == b"secret-of-mine\n"
    got = collect(spans, 2 if reply.finished.cache_hit else 6)
    service, root = got["Executor/Run"]
    assert service == "dcodex-gateway"
    assert (root.trace_id.hex(), root.parent_span_id.hex()) == (TRACE, PARENT)
    told = {attribute.key: attribute.value.string_value for attribute in root.attributes}
    assert told["dcodex.execution_id"] == "mine"
    assert told["dcodex.verdict"] == "OK"
    assert "secret" not in str(got)
    assert got["coordinate"][1].parent_span_id == root.span_id


def test_a_streams_spans_lie_within_each_other(
    native: ExecutorStub, spans: queue.Queue[tuple[str, Any]]
) -> None:
    start = pb.ExecuteRequest(
        start=pb.Start(
            language="python",
            source=b"print('x')",
            stdin_complete=True,
            cache=pb.CACHE_POLICY_BYPASS,
        )
    )
    list(native.Execute(iter([start]), timeout=PATIENCE_S, metadata=metadata(True)))
    got = collect(spans, 6)
    assert {name: service for name, (service, _) in got.items()} == {
        "Executor/Execute": "dcodex-gateway",
        "coordinate": "dcodex-coordinator",
        "queue": "dcodex-coordinator",
        "execute": "dcodex-worker",
        "prepare": "dcodex-worker",
        "program": "dcodex-worker",
    }
    by_id = {span.span_id: span for _, span in got.values()}
    for _, span in got.values():
        assert span.trace_id.hex() == TRACE
        above = by_id.get(span.parent_span_id)
        if above is not None:
            assert above.start_time_unix_nano <= span.start_time_unix_nano
            assert span.end_time_unix_nano <= above.end_time_unix_nano
    assert [event.name for event in got["program"][1].events] == ["worker.first_output"]


def test_a_call_that_is_refused_is_told_with_its_error(
    native: ExecutorStub, spans: queue.Queue[tuple[str, Any]]
) -> None:
    requests = iter(
        [
            pb.ExecuteRequest(start=pb.Start(language="python", source=b"input()")),
            pb.ExecuteRequest(signal=99),
        ]
    )
    with pytest.raises(grpc.RpcError):
        list(native.Execute(requests, timeout=PATIENCE_S, metadata=metadata(True)))
    (_, span) = collect(spans, 1)["Executor/Execute"]
    assert span.status.message == "INVALID_ARGUMENT"
