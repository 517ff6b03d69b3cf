"""Waiting until a farm answers, has its workers, and knows its languages."""

from __future__ import annotations

import asyncio

from grpc import aio
from grpc_health.v1 import health_pb2

from dcodex.aio import AsyncClient
from dcodex.errors import DCodeXError
from dcodex.values import FarmSnapshot, Language, WorkerState

#: Between tries while nothing listens yet.
RETRY_S = 0.05
#: Connections made to one port before all of its gateways count as reached.
TRIES_PER_GATEWAY = 4


async def wait_until_ready(target: str, gateways: int, min_workers: int) -> str:
    """Wait without end for a farm; returns words for it: "4 workers: python 3.11.2"."""
    # The kernel deals new connections out to the gateways that share the port.
    for _ in range(1 if gateways == 1 else gateways * TRIES_PER_GATEWAY):
        await _wait_for_health(target)
    while True:
        try:
            return await _wait_for_workers(target, min_workers)
        except DCodeXError:
            await asyncio.sleep(RETRY_S)


def describe(workers: int, languages: list[Language]) -> str:
    """4 workers: python 3.11.2, c 12.2.0, cpp 12.2.0."""
    names = ", ".join(f"{language.name} {language.version}" for language in languages)
    plural = "" if workers == 1 else "s"
    return f"{workers} worker{plural}: {names}"


def count_armed(snapshot: FarmSnapshot) -> int:
    """How many workers have, or had, a sandbox to run in."""
    return sum(worker.state in (WorkerState.IDLE, WorkerState.BUSY) for worker in snapshot.workers)


async def _wait_for_health(target: str) -> None:
    while True:
        async with aio.insecure_channel(
            target, options=(("grpc.use_local_subchannel_pool", 1),)
        ) as channel:
            watch = channel.unary_stream(
                "/grpc.health.v1.Health/Watch",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            try:
                async for reply in watch(health_pb2.HealthCheckRequest()):
                    if reply.status == health_pb2.HealthCheckResponse.SERVING:
                        return
            except aio.AioRpcError:
                pass  # nobody listens yet, or it ended; a new channel forgets gRPC's own backoff
        await asyncio.sleep(RETRY_S)


async def _wait_for_workers(target: str, min_workers: int) -> str:
    async with AsyncClient(target) as client:
        async for snapshot in client.farm():
            armed = count_armed(snapshot)
            if armed >= min_workers:
                return describe(armed, await client.languages())
    raise AssertionError("the service ended a stream that has no end")
