"""Waiting until a farm answers, has its workers, and knows its languages.

The coordinator is asked directly, as one more gateway would: callers may need tokens and
certificates that whoever starts the farm does not have. The gateways are asked for their
health where they talk in the clear; behind TLS it must do that they listen.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import zmq
import zmq.asyncio
from grpc import aio
from grpc_health.v1 import health_pb2

from dcodex.values import WorkerState
from dcodex_shared.config import GatewaySettings
from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.farm import FarmView, unpack_farm
from dcodex_shared.keys import client_keys, use_as_client
from dcodex_shared.messages import (
    HEARTBEAT_S,
    LOST_S,
    FarmState,
    Goodbye,
    Heartbeat,
    Hello,
    LanguageList,
    Role,
    WatchFarm,
    Welcome,
)
from dcodex_shared.wire import decode, encode

#: Between tries while nothing listens yet.
RETRY_S = 0.05
#: Connections made to one port before all of its gateways count as reached.
TRIES_PER_GATEWAY = 4

_ARMED = (WorkerState.IDLE, WorkerState.BUSY)


@dataclass(slots=True)
class Sight:
    """What the coordinator has told so far."""

    languages: tuple[tuple[str, str], ...] = ()
    #: Workers that have, or had, a sandbox to run in.
    armed: int = 0

    def describe(self) -> str:
        """4 workers: python 3.11.2, c 12.2.0, cpp 12.2.0."""
        names = ", ".join(f"{name} {version}" for name, version in self.languages)
        return f"{self.armed} worker{'' if self.armed == 1 else 's'}: {names}"


async def wait_until_ready(
    settings: GatewaySettings, host: str, port: int, gateways: int, min_workers: int
) -> str:
    """Wait without end for a farm; returns words for it: "4 workers: python 3.11.2"."""
    # The kernel deals new connections out to the gateways that share the port.
    for _ in range(1 if gateways == 1 else gateways * TRIES_PER_GATEWAY):
        if settings.tls_certificate:
            await _wait_for_listener(host, port)
        else:
            await _wait_for_health(f"{host}:{port}")
    keys = client_keys(settings.gateway_endpoint, settings.key_file, settings.coordinator_key)
    while True:
        with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
            socket.linger = 0
            if keys is not None:
                use_as_client(socket, keys)
            socket.connect(settings.gateway_endpoint)
            with zmq.asyncio.Socket(socket) as listening:
                sight = await _watch(listening, min_workers)
        if sight is not None:
            return sight.describe()


async def _watch(socket: zmq.asyncio.Socket, min_workers: int) -> Sight | None:
    """Listen to the coordinator until there are workers; None: it is not there, or has gone."""
    sight = Sight()
    heard_at = time.monotonic()
    await socket.send_multipart(encode(Hello(Role.GATEWAY, "up")))
    while time.monotonic() - heard_at < LOST_S:
        if not await socket.poll(int(HEARTBEAT_S * 1000)):
            await socket.send_multipart(encode(Heartbeat()))
            continue
        try:
            message, payload = decode(await socket.recv_multipart())
            view = unpack_farm(payload) if isinstance(message, FarmState) else None
        except RemoteProtocolError:
            continue  # the parts log and count such messages; here the next one will do
        heard_at = time.monotonic()
        match message:
            case Welcome():
                await socket.send_multipart(encode(WatchFarm(True)))
            case LanguageList(languages):
                sight.languages = languages
            case Goodbye():
                return None
            case _ if view is not None:
                sight.armed = _count_armed(view)
            case _:
                pass
        if sight.languages and sight.armed >= min_workers:
            await socket.send_multipart(encode(Goodbye("the farm is ready")))
            socket.linger = 1000
            return sight
    return None


def _count_armed(view: FarmView) -> int:
    return sum(worker.state in _ARMED for worker in view.workers)


async def _wait_for_listener(host: str, port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection(host.strip("[]"), port)
        except OSError:
            await asyncio.sleep(RETRY_S)
            continue
        writer.close()
        return


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
