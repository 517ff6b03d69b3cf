"""The coordinator process: settings in, sockets and metrics up, drain on SIGTERM."""

from __future__ import annotations

import contextlib
import logging
import os
import time
import uuid
from collections.abc import Sequence

import zmq

from dcodex_coordinator import metrics
from dcodex_coordinator.broker import Broker
from dcodex_coordinator.desk import DeskSettings
from dcodex_coordinator.machine import Machine, MachineSettings
from dcodex_coordinator.outbox import Side
from dcodex_shared import exposition, logs, stopping
from dcodex_shared.config import ConfigError, CoordinatorSettings, parse_settings
from dcodex_shared.descriptors import raise_limit
from dcodex_shared.endpoints import is_served, prepare
from dcodex_shared.keys import server_keys
from dcodex_shared.memory import keep_freed_memory
from dcodex_shared.placement import keep_to

log = logging.getLogger(__name__)

#: Exit status when a port or socket cannot be had, which may pass ...
EXIT_PORT = 1
#: ... and when a setting is wrong, which will not.
EXIT_CONFIG = 2


def machine_settings(settings: CoordinatorSettings) -> MachineSettings:
    """What of the process's settings the machine decides by."""
    return MachineSettings(
        boot_id=uuid.uuid4().hex,
        desk=DeskSettings(
            weights=dict(settings.language_weights),
            max_workers=settings.max_workers,
            max_queued=settings.max_queued,
            max_queued_per_tenant=settings.max_queued_per_tenant,
            cache_entries=settings.cache_entries,
            cache_bytes=settings.cache_bytes,
            cache_ttl_s=settings.cache_ttl,
            cache_shared=settings.cache_shared,
        ),
        min_workers=settings.min_workers,
        max_workers=settings.max_workers,
        defended_wait_s=settings.scale_up_latency_ms / 1000,
        cool_down_s=settings.cool_down,
    )


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM or SIGINT. 0: drained; 1: a port cannot be had; 2: a setting is wrong."""
    settings = parse_settings(
        CoordinatorSettings,
        argv,
        os.environ,
        "dcodex coordinator",
        "Queues requests, leases workers to them and decides how many workers there are.",
    )
    raise_limit()
    keep_to(settings.service_cpus)
    keep_freed_memory()
    logs.configure("coordinator", settings.log_level, settings.log_format)
    endpoints = (settings.gateway_endpoint, settings.worker_endpoint)
    try:
        keys = server_keys(endpoints, settings.key_file, settings.allowed_keys)
        for endpoint in endpoints:
            prepare(endpoint, settings.insecure, keys is not None)
            if is_served(endpoint):
                raise ConfigError(f"another coordinator serves {endpoint}")
    except ConfigError as error:
        log.error("cannot start: %s", error)
        return EXIT_CONFIG
    # From here on there are sockets with names: told to end, they are removed first.
    stopping.hold()
    machine = Machine(machine_settings(settings), time.monotonic())
    with contextlib.ExitStack() as stack:
        try:
            broker = stack.enter_context(Broker(machine, *endpoints, keys))
        except zmq.ZMQError as error:
            log.error("cannot bind: %s endpoints=%s", error.strerror, ",".join(endpoints))
            return EXIT_PORT
        try:
            served = exposition.serve(
                "coordinator",
                settings.metrics_host,
                settings.metrics_port,
                metrics.registry(machine, broker.lock),
                machine.is_ready,
            )
        except OSError as error:
            log.error("cannot serve metrics: %s port=%d", error.strerror, settings.metrics_port)
            return EXIT_PORT
        try:
            _serve(broker, machine, settings, served.port)
        finally:
            # Of all that they could hurry nothing is left.
            stopping.disregard()
            served.close()
    log.info("stopped")
    return 0


def _serve(
    broker: Broker, machine: Machine, settings: CoordinatorSettings, metrics_port: int
) -> None:
    stopping.tell(lambda _: broker.stop())
    log.info(
        "ready gateways=%s workers=%s metrics_port=%d",
        broker.bound[Side.GATEWAYS],
        broker.bound[Side.WORKERS],
        metrics_port,
    )
    broker.run()
    log.info("draining grace_s=%g", settings.drain_grace)
    broker.perform(machine.drain(time.monotonic()))
    # A second signal ends the grace.
    broker.run(until=time.monotonic() + settings.drain_grace)
    broker.perform(machine.close(time.monotonic()))
