"""Which processes make a farm, with which arguments; in the order of their start."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from dataclasses import dataclass, fields

from dcodex_shared.config import (
    CommonSettings,
    CoordinatorSettings,
    GatewaySettings,
    WorkerSettings,
)


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the farm."""

    #: For people: "gateway", "gateway-2".
    name: str
    module: str
    arguments: tuple[str, ...]
    #: Parts stop in this order, those of one number together.
    stop_turn: int
    #: What tells it to end when all parts do.
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass(frozen=True, slots=True)
class Place:
    """What all parts of one farm share."""

    runtime_dir: str
    port: int
    gateways: int
    #: The gateway's metrics port; the others follow it. 0: any free one for each.
    metrics_port: int


def make_plan(flags: argparse.Namespace, place: Place) -> tuple[Part, ...]:
    """The parts of a farm.

    flags: what the command line said, None where it said nothing: the parts read the
    environment and the configuration file by themselves.
    """
    coordinator = Part(
        "coordinator",
        "dcodex_coordinator",
        _arguments(CoordinatorSettings, flags, place, 1),
        stop_turn=2,
    )
    worker = Part(
        "worker", "dcodex_worker", _arguments(WorkerSettings, flags, place, 2), stop_turn=1
    )
    return (coordinator, worker, *_gateways(flags, place))


def _gateways(flags: argparse.Namespace, place: Place) -> Iterator[Part]:
    for number in range(1, place.gateways + 1):
        # The first one keeps the base port, the next come after coordinator and worker.
        offset = 0 if number == 1 else number + 1
        arguments = _arguments(GatewaySettings, flags, place, offset)
        name = "gateway" if number == 1 else f"gateway-{number}"
        # Gateways go first: they let nobody in, and running programs end with their streams.
        yield Part(
            name,
            "dcodex_gateway",
            (*arguments, f"--port={place.port}", "--share_port=true"),
            stop_turn=0,
            # SIGTERM would have it look for another gateway to take its callers over.
            stop_signal=signal.SIGINT,
        )


def _arguments(
    settings: type[CommonSettings], flags: argparse.Namespace, place: Place, offset: int
) -> tuple[str, ...]:
    ours = {
        "runtime_dir": place.runtime_dir,
        "metrics_port": str(place.metrics_port + offset if place.metrics_port else 0),
    }
    arguments = [f"--config={flags.config}"] if flags.config else []
    for member in fields(settings):
        value = ours.get(member.name, getattr(flags, member.name, None))
        if value is not None and member.name not in ("port", "share_port"):
            arguments.append(f"--{member.name}={value}")
    return tuple(arguments)
