"""One request on its way: whose it is, where it stands, what of it is under way."""

from __future__ import annotations

from collections import deque
from enum import IntEnum

from dcodex_coordinator.fair_queue import Waiting
from dcodex_coordinator.outbox import Peer
from dcodex_coordinator.pool import Worker
from dcodex_coordinator.results import Recording, Result
from dcodex_shared.messages import Message, Payload, Submit


class Phase(IntEnum):
    """Where an execution stands."""

    #: In the fair queue.
    WAITING = 1
    #: Awaiting the end of another one that will answer it as well.
    FOLLOWING = 2
    #: Leased to a worker.
    RUNNING = 3
    #: Being told a kept result, as fast as its window allows.
    REPLAYING = 4
    #: Told its end. A worker may still be busy killing it.
    ENDED = 5


class Execution:
    """One request, from Submit until its end is told and no worker is busy with it."""

    __slots__ = (
        "arrived_at",
        "cancelled",
        "digest",
        "flight",
        "gateway",
        "held",
        "held_bytes",
        "leased_at",
        "phase",
        "position",
        "program",
        "recording",
        "replay",
        "replay_result",
        "result_key",
        "served_before",
        "stdin_unread",
        "submit",
        "unacknowledged",
        "waiting",
        "warm",
        "worker",
    )

    def __init__(self, gateway: Peer, submit: Submit, program: Payload, now: float) -> None:
        self.gateway = gateway
        self.submit = submit
        #: The payload of Submit. Empty once it was leased or ended.
        self.program = program
        self.arrived_at = now
        self.phase = Phase.WAITING
        #: Not None exactly while RUNNING, or ENDED with a worker busy killing it.
        self.worker: Worker | None = None
        self.leased_at = 0.0
        self.warm = False
        #: Its place in the fair queue, kept for settling its cost.
        self.waiting: Waiting[Execution] = Waiting(
            self, submit.language, submit.tenant, submit.priority, now, submit.tenant_weight
        )
        #: The position last told to the gateway, and the queue's count of served at that time.
        self.position = 0
        self.served_before = 0
        #: Output sent to the gateway that it has not acknowledged, in bytes; below 0 by as much as
        #: it has widened the window.
        self.unacknowledged = 0
        #: Stdin from the gateway that the program has not read, in bytes.
        self.stdin_unread = 0
        #: What came for the program before it was leased, in order.
        self.held: list[tuple[Message, Payload]] = []
        #: Bytes of program and held: what it takes of the room for what waits.
        self.held_bytes = 0
        #: The worker was told to kill it.
        self.cancelled = False
        #: Under what its result is kept; None: it is not.
        self.result_key: tuple[object, ...] | None = None
        #: What identical requests share; None: it flies alone.
        self.flight: tuple[object, ...] | None = None
        self.digest = b""
        self.recording: Recording | None = None
        #: What is still to be told. Not empty only while REPLAYING.
        self.replay: deque[tuple[int, bytes]] = deque()
        self.replay_result: Result | None = None

    def __repr__(self) -> str:
        return f"<execution {self.submit.execution_id} {self.phase.name}>"
