"""A machine with simulated time, and peers that are nothing but routing ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import pytest

from dcodex_coordinator.desk import DeskSettings
from dcodex_coordinator.machine import Machine, MachineSettings
from dcodex_coordinator.outbox import Send, Side
from dcodex_shared.messages import (
    Finished,
    Heartbeat,
    Hello,
    HostState,
    Lease,
    Message,
    Ready,
    Role,
    StartWorker,
    Submit,
    Verdict,
)

M = TypeVar("M")
LANGUAGES = (("c", "12"), ("python", "3.11"))


class Farm:
    """Everything that a test says to a machine, and hears from it."""

    def __init__(self, *, min_workers: int = 1, max_workers: int = 4, **desk: object) -> None:
        settings: dict[str, object] = {
            "weights": {},
            "max_workers": max_workers,
            "max_queued": 100,
            "max_queued_per_tenant": 50,
            "cache_entries": 100,
            "cache_bytes": 1 << 22,
            "cache_ttl_s": 60.0,
            "cache_shared": False,
        }
        self.now = 1000.0
        self.machine = Machine(
            MachineSettings(
                boot_id="b00t1d",
                desk=DeskSettings(**{**settings, **desk}),  # type: ignore[arg-type] # as above
                min_workers=min_workers,
                max_workers=max_workers,
                defended_wait_s=0.1,
                cool_down_s=10.0,
            ),
            self.now,
        )
        self.peers: dict[bytes, Side] = {}
        self._submitted = 0

    def say(self, peer: bytes, message: Message, payload: bytes = b"") -> list[Send]:
        """A connected peer says something."""
        sends = self.machine.receive(self.peers[peer], peer, message, payload, self.now)
        self.machine.check()
        return sends

    def wait(self, seconds: float, *silent: bytes) -> list[Send]:
        """Time passes, in which every peer but the silent ones shows that it lives."""
        sends = []
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, max(self.now, self.machine.next_deadline()))
            for peer in self.peers:
                if peer not in silent and self.machine.is_connected(self.peers[peer], peer):
                    sends += self.say(peer, Heartbeat())
            sends += self.machine.expire(self.now)
            self.machine.check()
        return [send for send in sends if not isinstance(send.message, Heartbeat)]

    def join(self, peer: bytes, role: Role, name: str) -> list[Send]:
        """A peer says Hello."""
        self.peers[peer] = Side.GATEWAYS if role is Role.GATEWAY else Side.WORKERS
        return self.say(peer, Hello(role, name))

    def gateway(self, peer: bytes = b"gateway") -> bytes:
        """A gateway that said Hello."""
        self.join(peer, Role.GATEWAY, "gateway")
        return peer

    def host(self, peer: bytes = b"host", **state: object) -> list[Send]:
        """A host that said Hello and how it is; returns what it is told."""
        if not self.machine.is_connected(Side.WORKERS, peer):
            self.join(peer, Role.HOST, peer.decode())
        fields: dict[str, object] = {
            "languages": LANGUAGES,
            "slots": 10,
            "memory_available_bytes": 1 << 40,
            "cpu_pressure": 0.0,
            "memory_pressure": 0.0,
            "load_average": 0.0,
            "draining": False,
        }
        return self.say(peer, HostState(**{**fields, **state}))  # type: ignore[arg-type] # as above

    def workers(self, sends: list[Send]) -> list[bytes]:
        """The workers that these messages ask for, ready."""
        started = []
        for message in only(sends, StartWorker):
            peer = message.worker_id.encode()
            self.join(peer, Role.WORKER, message.worker_id)
            self.say(peer, Ready(message.language, 0.004))
            started.append(peer)
        return started

    def worker(self) -> bytes:
        """A gateway, a host and its one worker; returns the worker."""
        self.gateway()
        (worker,) = self.workers(self.host())
        return worker

    def submit(
        self, peer: bytes = b"gateway", program: bytes = b"program", **changes: object
    ) -> list[Send]:
        """A gateway asks for something; returns what is said."""
        self._submitted += 1
        fields: dict[str, object] = {
            "execution_id": f"e{self._submitted}",
            "tenant": "t",
            "language": "python",
            "priority": 0,
            "deadline_s": 0.0,
            "streaming": False,
            "window_bytes": 1000,
            "wall_limit_s": 10.0,
            "cache_key": b"",
            "client_key": "",
            "trace": False,
        }
        return self.say(peer, Submit(**{**fields, **changes}), program)  # type: ignore[arg-type] # as above

    def finish(
        self,
        worker: bytes,
        execution_id: str,
        verdict: Verdict = Verdict.OK,
        payload: bytes = b"",
        ready: bool = True,
    ) -> list[Send]:
        """A worker ends an execution and arms again."""
        message = Finished(execution_id, verdict, 0, 0, "", 0.0, 0.0, 0.0, 1, 0.0, False, False)
        sends = self.say(worker, message, payload)
        return sends + self.say(worker, Ready("python", 0.004)) if ready else sends


def only(sends: list[Send], kind: type[M]) -> list[M]:
    """The messages of this kind."""
    return [send.message for send in sends if isinstance(send.message, kind)]


def leased(sends: list[Send]) -> list[str]:
    """The executions that are leased."""
    return [lease.execution_id for lease in only(sends, Lease)]


@pytest.fixture
def farm() -> Iterator[Farm]:
    made = Farm()
    yield made
    made.machine.check()
