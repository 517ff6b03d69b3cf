"""The HTTP port that every process has for Prometheus and for probes: /metrics, /healthz, /readyz.

It runs in daemon threads, apart from the process's own loop, so a scrape never waits for a
busy loop and a slow scraper never holds one up. GET and HEAD only, no body is read, at most
MAX_CONNECTIONS at a time, each for at most REQUEST_TIMEOUT_S.
"""

from __future__ import annotations

import logging
import socket
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from typing import Any, ClassVar

from prometheus_client import CollectorRegistry, Gauge, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from dcodex_shared.messages import PROTOCOL_VERSION

log = logging.getLogger(__name__)

#: A Prometheus or two, two probes and a person; more is somebody holding connections open.
MAX_CONNECTIONS = 16
#: A scraper that has not sent its request, or taken its answer, by then is gone.
REQUEST_TIMEOUT_S = 5.0

PLAIN = "text/plain; charset=utf-8"


class _Handler(BaseHTTPRequestHandler):
    """One connection, one request: without keep-alive nobody can hold a slot."""

    server: _Server
    #: Bounds every read and write of the connection.
    timeout = REQUEST_TIMEOUT_S
    server_version = "dcodex"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer one path."""
        match self.path.partition("?")[0]:
            case "/metrics":
                encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                self._answer(HTTPStatus.OK, content_type, encode(self.server.registry))
            case "/healthz":
                self._answer(HTTPStatus.OK, PLAIN, b"ok\n")
            case "/readyz" if self.server.ready():
                self._answer(HTTPStatus.OK, PLAIN, b"ready\n")
            case "/readyz":
                self._answer(HTTPStatus.SERVICE_UNAVAILABLE, PLAIN, b"not ready\n")
            case _:
                self._answer(HTTPStatus.NOT_FOUND, PLAIN, b"/metrics, /healthz or /readyz\n")

    do_HEAD = do_GET  # noqa: N815 (http.server looks the method up by this name)

    def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the parent's name)
        """Requests are not logged: a scrape every few seconds is no news."""


class _Server(ThreadingHTTPServer):
    daemon_threads: ClassVar[bool] = True  # type: ignore[misc] # the parent has it per object
    #: A port that another process holds is an error to be seen, not to be shared.
    allow_reuse_port: ClassVar[bool] = False  # type: ignore[misc] # as above

    def __init__(
        self, address: tuple[str, int], registry: CollectorRegistry, ready: Callable[[], bool]
    ) -> None:
        self.registry = registry
        self.ready = ready
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread, or turn it away."""
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:
            # No thread to be had: the farm's work comes before a scrape.
            self._slots.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve in a thread of its own, then free the slot."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that broke off is no error of ours; anything else is logged."""
        if not isinstance(sys.exc_info()[1], OSError):
            log.exception("a metrics request failed")


class Exposition:
    """A running port."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self.port: int = server.server_address[1]
        self._thread = threading.Thread(target=server.serve_forever, name="exposition", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(REQUEST_TIMEOUT_S)


def serve(
    process: str,
    host: str,
    port: int,
    registry: CollectorRegistry,
    ready: Callable[[], bool],
) -> Exposition:
    """Serve the registry at host:port from here on; port 0 is any free one.

    process: what this is: gateway, coordinator or host; shown with the version.
    ready: asked, in another thread, whether the process can do its work now.
    Raises OSError where the address cannot be had.
    """
    # The second series per counter and histogram doubles a scrape and nobody asks for it.
    disable_created_metrics()  # type: ignore[no-untyped-call] # the library left it untyped
    build = Gauge(
        "dcodex_build_info",
        "1, by what runs here and in which version.",
        ("process", "version", "protocol"),
        registry=registry,
    )
    build.labels(process, version("dcodex"), str(PROTOCOL_VERSION)).set(1)
    return Exposition(_Server((host, port), registry, ready))
