"""The host's table of worker processes: pure, commands out.

A worker is STARTING from the coordinator's order until its process exists, then ALIVE, and
ENDING once it was told to die. Only its process's death takes it out of the table, so a slot
is never given to a second worker while the first may still hold it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True, slots=True)
class Fork:
    """Start a worker process."""

    worker_id: str
    language: str


@dataclass(frozen=True, slots=True)
class Kill:
    """End the process now."""

    worker_id: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the process to retire."""

    worker_id: str


@dataclass(frozen=True, slots=True)
class Bury:
    """The process is gone (or never was): clean its slot, then tell the coordinator."""

    worker_id: str
    reason: str


Command = Fork | Kill | Ask | Bury


class State(Enum):
    """Where a worker process stands."""

    STARTING = "starting"
    ALIVE = "alive"
    ENDING = "ending"


@dataclass(slots=True)
class Member:
    """One worker process."""

    #: Changed only by Crew.
    state: State = State.STARTING
    #: Why it was told to die; empty: it was not.
    doom: str = field(default="")


class Crew:
    """All workers of this host."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._members: dict[str, Member] = {}
        self._draining = False

    def __len__(self) -> int:
        return len(self._members)

    @property
    def draining(self) -> bool:
        """Whether no worker will be started any more."""
        return self._draining

    def start(self, worker_id: str, language: str) -> list[Command]:
        """The coordinator wants a worker."""
        if worker_id in self._members:
            # Said twice: the one that is there is meant.
            return []
        if self._draining:
            return [Bury(worker_id, "the host is draining")]
        if len(self._members) >= self._slots:
            return [Bury(worker_id, "the host is full")]
        self._members[worker_id] = Member()
        return [Fork(worker_id, language)]

    def born(self, worker_id: str) -> list[Command]:
        """Its process exists."""
        member = self._members[worker_id]
        if member.state is State.STARTING:
            member.state = State.ALIVE
            return []
        return [Kill(worker_id)]

    def stop(self, worker_id: str, reason: str) -> list[Command]:
        """The coordinator wants it gone."""
        member = self._members.get(worker_id)
        if member is None:
            # Perhaps it never came to be: the coordinator waits for word of its end.
            return [Bury(worker_id, "no such worker")]
        if member.state is State.ENDING:
            return []
        alive = member.state is State.ALIVE
        member.state = State.ENDING
        member.doom = reason
        # Without a process yet, born() kills it.
        return [Kill(worker_id)] if alive else []

    def stop_all(self, reason: str) -> list[Command]:
        """Everybody goes now."""
        return [command for name in list(self._members) for command in self.stop(name, reason)]

    def ask_all(self) -> list[Command]:
        """Everybody shall retire."""
        return [Ask(name) for name, member in self._members.items() if member.state is State.ALIVE]

    def drain(self) -> None:
        """Take no more workers from here on."""
        self._draining = True

    def died(self, worker_id: str, reason: str) -> list[Command]:
        """Its process is gone, or could not be made."""
        member = self._members.pop(worker_id)
        return [Bury(worker_id, member.doom or reason)]
