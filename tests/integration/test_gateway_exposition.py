"""The HTTP port of every process: metrics, probes, and callers that mean no good."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter
from tests.integration.gateway_peer import PATIENCE_S, GatewayProcess, Peer

from dcodex_shared import exposition
from dcodex_shared.exposition import MAX_CONNECTIONS, Exposition, serve


class Probe:
    """A port whose readiness the test sets."""

    def __init__(self) -> None:
        self.ready = False
        registry = CollectorRegistry()
        self.counter = Counter("dcodex_test_events", "Events.", registry=registry)
        self.port: Exposition = serve("test", "127.0.0.1", 0, registry, lambda: self.ready)

    def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path)
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()


@pytest.fixture
def probe() -> Iterator[Probe]:
    made = Probe()
    yield made
    made.port.close()


def test_metrics_are_served_without_a_second_series_for_each(probe: Probe) -> None:
    probe.counter.inc()
    status, text = probe.get("/metrics")
    assert status == 200
    assert "dcodex_test_events_total 1.0" in text
    assert "_created" not in text


def test_health_is_being_there_and_readiness_is_what_the_process_says(probe: Probe) -> None:
    assert probe.get("/healthz")[0] == 200
    assert probe.get("/readyz") == (503, "not ready\n")
    probe.ready = True
    assert probe.get("/readyz?verbose=1") == (200, "ready\n")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/../etc/passwd", 404),
        ("HEAD", "/metrics", 200),
        ("POST", "/metrics", 501),
    ],
)
def test_everything_else_is_turned_down(probe: Probe, method: str, path: str, status: int) -> None:
    answer = probe.get(path, method)
    assert answer[0] == status
    assert method != "HEAD" or answer[1] == ""


def test_connections_held_open_take_no_more_than_their_share(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposition._Handler, "timeout", 0.5)
    held = [
        socket.create_connection(("127.0.0.1", probe.port.port), timeout=PATIENCE_S)
        for _ in range(MAX_CONNECTIONS + 4)
    ]
    # Those beyond the bound are closed at once, the others when their time is over.
    for connection in held:
        assert connection.recv(1) == b""
        connection.close()
    assert probe.get("/healthz")[0] == 200


def test_a_port_that_is_closed_is_free_again(probe: Probe) -> None:
    other = serve("test", "127.0.0.1", 0, CollectorRegistry(), lambda: True)
    other.close()
    serve("test", "127.0.0.1", other.port, CollectorRegistry(), lambda: True).close()


def test_a_port_in_use_is_an_error(probe: Probe) -> None:
    with pytest.raises(OSError, match="in use"):
        serve("test", "127.0.0.1", probe.port.port, CollectorRegistry(), lambda: True)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (Debian: prometheus)")
def test_promtool_has_nothing_to_say_about_the_gateways_metrics() -> None:
    process = GatewayProcess()
    peer = Peer(process.endpoint)
    try:
        peer.meet()
        process.await_log("languages=cpp")
        connection = http.client.HTTPConnection("127.0.0.1", process.metrics_port)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read()
        connection.close()
    finally:
        peer.close()
        process.stop()
    checked = subprocess.run(
        ["promtool", "check", "metrics"],
        input=text,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
