"""The farm's snapshot: what FarmState carries from the coordinator to gateways."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import msgpack

from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.messages import Payload


@dataclass(frozen=True, slots=True)
class WorkerView:
    """One worker as seen from outside. `state`: 1 IDLE, 2 BUSY, 3 RECYCLING, 4 SHUTDOWN."""

    worker_id: str
    host: str
    state: int
    language: str
    execution_id: str
    tenant: str
    state_age_s: float
    executions: int
    #: Its last moves, oldest first: "IDLE>BUSY leased 1.204s ago".
    story: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueueView:
    """One language's queue."""

    language: str
    depth: int
    oldest_wait_s: float


@dataclass(frozen=True, slots=True)
class FarmView:
    """Everything that Farm, GetSystemMetrics and `dcodex top` show."""

    workers: tuple[WorkerView, ...]
    queues: tuple[QueueView, ...]
    workers_desired: int
    executions_total: int
    cache_hits_total: int
    cache_misses_total: int
    latency_p50_s: float
    latency_p99_s: float
    #: The highest peak memory of any execution so far.
    peak_memory_bytes: int
    #: One-minute load average of the hosts' machines, summed.
    load_average: float


def pack_farm(view: FarmView) -> bytes:
    """The payload of FarmState."""
    packed: bytes = msgpack.packb(astuple(view))
    return packed


def unpack_farm(payload: Payload) -> FarmView:
    """Raises RemoteProtocolError where the payload is not a snapshot."""
    try:
        workers, queues, *rest = msgpack.unpackb(payload, use_list=False)
        return FarmView(
            tuple(WorkerView(*worker) for worker in workers),
            tuple(QueueView(*queue) for queue in queues),
            *rest,
        )
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise RemoteProtocolError(f"payload is not a snapshot: {type(error).__name__}") from None
