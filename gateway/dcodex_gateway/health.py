"""grpc.health.v1: the truth, which is whether a program sent now could run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

from dcodex_gateway.figures import Figures
from dcodex_gateway.methods import Context, guarded, parser, well_formed
from dcodex_shared.errors import Reason, Rejected

SERVICE = "grpc.health.v1.Health"

_Status = health_pb2.HealthCheckResponse


class Health:
    """Answers for the gateway as a whole ("") and for each of its services.

    grpcio-health-checking's own servicer holds a lock while it writes to a watcher, so that one
    that does not read stops all the others; and it must be told the status of each service.
    """

    def __init__(
        self, services: tuple[str, ...], serving: Callable[[], bool], figures: Figures
    ) -> None:
        self._services = frozenset(("", *services))
        self._serving = serving
        self._figures = figures
        self._changed: asyncio.Event = asyncio.Event()
        self._closed = False

    def handlers(self) -> grpc.GenericRpcHandler:
        """What to add to a server."""
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Check": grpc.unary_unary_rpc_method_handler(
                    guarded("Health/Check", self._figures, self._check),
                    request_deserializer=parser(health_pb2.HealthCheckRequest),
                    response_serializer=_Status.SerializeToString,
                ),
                "Watch": grpc.unary_stream_rpc_method_handler(
                    guarded("Health/Watch", self._figures, self._watch),
                    request_deserializer=parser(health_pb2.HealthCheckRequest),
                    response_serializer=_Status.SerializeToString,
                ),
            },
        )

    def changed(self) -> None:
        """The answer may be another from here on."""
        # Whoever waits holds the old event; whoever comes next waits on the new one.
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def close(self) -> None:
        """End all watches: the gateway goes down."""
        self._closed = True
        self.changed()

    async def _check(self, request: Any, _: Context) -> health_pb2.HealthCheckResponse:
        asked: health_pb2.HealthCheckRequest = well_formed(request)
        if asked.service not in self._services:
            raise Rejected(Reason.NOT_FOUND, f"unknown service {asked.service[:64]!r}")
        return _Status(status=self._status())

    async def _watch(self, request: Any, context: Context) -> None:
        asked: health_pb2.HealthCheckRequest = well_formed(request)
        known = asked.service in self._services
        told = None
        while True:
            changed = self._changed
            status = self._status() if known else _Status.SERVICE_UNKNOWN
            if status != told:
                told = status
                await context.write(_Status(status=status))
            if self._closed:
                return
            await changed.wait()

    def _status(self) -> int:
        return _Status.SERVING if self._serving() else _Status.NOT_SERVING
