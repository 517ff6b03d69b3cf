"""The gateway's life: start, serve, end on SIGTERM or SIGINT.

Theory of operation
-------------------
A gRPC server that is shut down tells its callers' connections to take their next calls elsewhere
(GOAWAY), and ends every call that comes before they have heard of it. What ends no call is the
GOAWAY of a connection that has reached its age, since the server goes on meanwhile. So all
connections have one, and SIGTERM means: stop listening, go on serving until every connection has
come of age and its caller has gone to another gateway, then stop where nobody comes any more.
SIGINT means to refuse what is new at once: there is no other gateway to go to.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Coroutine
from time import monotonic
from typing import Any, Protocol

import grpc

from dcodex_gateway import classic, health, listening, native, tls
from dcodex_gateway.classic import Classic
from dcodex_gateway.door import Door
from dcodex_gateway.figures import Figures
from dcodex_gateway.health import Health
from dcodex_gateway.hub import MAX_EXECUTIONS, Hub
from dcodex_gateway.metrics import make_registry
from dcodex_gateway.native import Native
from dcodex_gateway.reflecting import Reflection
from dcodex_gateway.streams import Streams
from dcodex_gateway.telemetry import open_telemetry
from dcodex_shared import exposition, stopping
from dcodex_shared.config import GatewaySettings
from dcodex_shared.endpoints import prepare
from dcodex_shared.keys import client_keys
from dcodex_shared.limits import STDIN_WINDOW_BYTES

log = logging.getLogger(__name__)

#: Health checks, watches and calls that wait for their first message, beside executions.
MAX_CALLS = MAX_EXECUTIONS + 5_000
#: Headers come from anyone: tokens and trace ids are far shorter.
MAX_METADATA_BYTES = 16 * 1024
#: What gRPC takes in of a stream that is not read meanwhile, in bytes: four windows of stdin.
INTAKE_BYTES = 4 * STDIN_WINDOW_BYTES
#: A caller whose machine is gone is found out after these two.
KEEPALIVE_MS = 30_000
KEEPALIVE_TIMEOUT_MS = 10_000
#: A connection that does not get through its handshake.
HANDSHAKE_TIMEOUT_MS = 10_000
#: Whoever calls without end opens a new connection this often, at the cost of one call's waiting
#: for it; and a drain takes so long where callers do not rest.
CONNECTION_AGE_S = 20.0
#: gRPC adds up to a tenth to each connection's age, and hearing of it takes a moment.
CONNECTION_AGE_MOST_S = CONNECTION_AGE_S * 1.1 + 2.0
#: When nothing ran and nobody asked for so long, callers rest: that one comes in the very moment in
#: which the server stops is then as good as impossible.
QUIET_S = 2.0
#: Who came while this process stood still is read in the first of this time that passes as usual.
HEARD_S = 0.25
#: Where no other gateway has the same port there is a balancer that looks at our health first.
NOTICED_S = 5.0
#: For answers on their way when the server stops; nobody waits for it where there are none.
STOP_GRACE_S = 2.0


class Service(Protocol):
    """What is added to the server."""

    def handlers(self) -> grpc.GenericRpcHandler:
        """Its methods."""


class CannotServe(Exception):
    """A port cannot be had; the message says which, and what to do, in one line."""


class Gateway:
    """One gateway process."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        figures = Figures()
        self._credentials = tls.credentials(settings)
        door = Door(settings)
        keys = client_keys(settings.gateway_endpoint, settings.key_file, settings.coordinator_key)
        self._hub = Hub(
            prepare(settings.gateway_endpoint, settings.insecure, keys is not None),
            f"{socket.gethostname()}/{os.getpid()}",
            keys,
            figures,
            self._changed,
        )
        self._health = Health((native.SERVICE, classic.SERVICE), lambda: self._hub.serving, figures)
        self._telemetry = open_telemetry(settings.otlp_endpoint)
        streams = Streams(self._hub, door, self._telemetry)
        self._services: list[Service] = [Native(streams), Classic(streams), self._health]
        if settings.reflection:
            names = (native.SERVICE, classic.SERVICE, health.SERVICE)
            self._services.append(Reflection(names, figures))
        #: Set when the gateway is to end.
        self._stop: asyncio.Event = asyncio.Event()
        #: Whether callers may have another gateway to go to then.
        self._hands_over = False

    async def run(self) -> int:
        """Serve until told to end; the exit status."""
        settings = self._settings
        server = grpc.aio.server(options=_options(settings), maximum_concurrent_rpcs=MAX_CALLS)
        for service in self._services:
            server.add_generic_rpc_handlers((service.handlers(),))
        port = _bind(server, settings, self._credentials)
        metrics = _expose(settings, self._hub)
        loop = asyncio.get_running_loop()
        # Not as the loop's own handlers: it takes those away when it is closed.
        stopping.tell(lambda number: loop.call_soon_threadsafe(self._end, number))
        try:
            self._hub.link.start()
            await server.start()
            log.info("serving gRPC on %s:%d", settings.host, port)
            log.info("serving metrics on %s:%d", settings.metrics_host, metrics.port)
            await self._stop.wait()
            await self._drain(server, port)
        finally:
            stopping.end_at_once()
            self._hub.link.close()
            metrics.close()
            if self._telemetry is not None:
                await asyncio.to_thread(self._telemetry.close)
        return 0

    def _end(self, number: int) -> None:
        self._hands_over = number == signal.SIGTERM
        self._stop.set()

    async def _drain(self, server: grpc.aio.Server, port: int) -> None:
        """Let what runs end, then stop; a second signal stops at once."""
        log.info("draining executions=%d", self._hub.executions)
        self._stop.clear()
        impatient = asyncio.create_task(self._stop.wait())
        if self._hands_over:
            await _until(impatient, self._hand_over(port), CONNECTION_AGE_MOST_S)
        self._hub.drain()
        self._health.close()
        await _until(impatient, self._hub.idle(), self._settings.drain_grace)
        impatient.cancel()
        if self._hub.executions:
            log.warning("cancelling executions=%d", self._hub.executions)
            self._hub.abandon()
        await server.stop(STOP_GRACE_S)
        log.info("stopped")

    async def _hand_over(self, port: int) -> None:
        """Serve on until nobody comes any more, and let no new connection in."""
        shared = self._settings.share_port
        if shared and not listening.others_listen(port):
            return
        self._hub.leave()
        closing = asyncio.create_task(_close_door(port, 0.0 if shared else NOTICED_S))
        try:
            if shared:
                await closing
            while True:
                await self._hub.idle()
                left_s = self._hub.stirred_at + QUIET_S - monotonic()
                if left_s > 0 and listening.has_connections(port):
                    await asyncio.sleep(left_s)
                # Also when the last connection has just ended: what it brought may wait its turn.
                elif await self._hears_nobody():
                    break
            if not closing.done():
                await listening.stop_listening(port)
        finally:
            closing.cancel()

    async def _hears_nobody(self) -> bool:
        """Whether nobody asks just now.

        By the clock alone a process that was stopped, or got no processor, has had its quiet, with
        calls waiting in its sockets that it never looked at.
        """
        begun, stirred_at = monotonic(), self._hub.stirred_at
        await asyncio.sleep(HEARD_S)
        return self._hub.stirred_at == stirred_at and monotonic() < begun + 2 * HEARD_S

    def _changed(self) -> None:
        self._health.changed()


async def _close_door(port: int, delay_s: float) -> None:
    await asyncio.sleep(delay_s)
    await listening.stop_listening(port)


async def _until(
    impatient: asyncio.Task[bool], work: Coroutine[Any, Any, None], most_s: float
) -> None:
    """Let work go on until it ends, a signal comes, or so many seconds have passed."""
    task = asyncio.create_task(work)
    await asyncio.wait((task, impatient), timeout=most_s, return_when=asyncio.FIRST_COMPLETED)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _options(settings: GatewaySettings) -> list[tuple[str, int]]:
    return [
        # Unless told to share: a second gateway on the same port is a mistake to be told of.
        ("grpc.so_reuseport", int(settings.share_port)),
        ("grpc.max_receive_message_length", settings.max_request_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_metadata_size", MAX_METADATA_BYTES),
        # gRPC would measure how fast a caller sends, and take in as much ahead: megabytes of stdin
        # that no program reads.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", INTAKE_BYTES),
        # gRPC's own bound on calls not yet looked at is 1000, beyond which callers hear CANCELLED:
        # ours are looked at in turn, and told RESOURCE_EXHAUSTED where they are too many.
        ("grpc.server.max_pending_requests", MAX_CALLS),
        ("grpc.server.max_pending_requests_hard_limit", 2 * MAX_CALLS),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        # Streams that are open then go on for as long as they like.
        ("grpc.max_connection_age_ms", int(CONNECTION_AGE_S * 1000)),
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_TIMEOUT_MS),
    ]


def _bind(
    server: grpc.aio.Server, settings: GatewaySettings, secure: grpc.ServerCredentials | None
) -> int:
    host, port = settings.host, settings.port
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        if secure is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, secure)
    except RuntimeError:
        raise CannotServe(
            f"cannot serve gRPC on {address}: the port is in use or the address is not this "
            "machine's; choose another with --port and --host"
        ) from None


def _expose(settings: GatewaySettings, hub: Hub) -> exposition.Exposition:
    try:
        return exposition.serve(
            "gateway",
            settings.metrics_host,
            settings.metrics_port,
            make_registry(hub),
            lambda: hub.serving,
        )
    except OSError as error:
        raise CannotServe(
            f"cannot serve metrics on {settings.metrics_host}:{settings.metrics_port}: "
            f"{error.strerror}; choose another with --metrics_port"
        ) from None
