"""What one turn of the machine wants sent: parts put commands in, the machine hands them out."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from dcodex_shared.messages import Message, Payload, Role


class Side(IntEnum):
    """Which of the two ROUTERs a peer is on."""

    GATEWAYS = 0
    WORKERS = 1


class Peer:
    """One connection. The routing id was made by our own ROUTER: no peer can choose it."""

    __slots__ = ("heard_at", "name", "role", "routing_id", "sent_at", "side")

    def __init__(self, side: Side, routing_id: bytes, role: Role, name: str, now: float) -> None:
        self.side = side
        self.routing_id = routing_id
        self.role = role
        #: For logs only: a peer may call itself anything.
        self.name = name
        #: When its last message came. Never decreases.
        self.heard_at = now
        #: When the last message to it was put in the outbox. Never decreases.
        self.sent_at = now

    def __repr__(self) -> str:
        return f"<{self.role.name.lower()} {self.name} {self.routing_id.hex()}>"


class Send(NamedTuple):
    """A command to the shell: send this message to this peer."""

    side: Side
    peer: bytes
    message: Message
    payload: Payload


class Outbox:
    """The commands of the turn at hand, in order."""

    __slots__ = ("now", "sends")

    def __init__(self) -> None:
        #: The time of this turn.
        self.now = 0.0
        #: Emptied by take() at the end of every turn.
        self.sends: list[Send] = []

    def send(self, peer: Peer, message: Message, payload: Payload = b"") -> None:
        """Add a message to a connected peer."""
        peer.sent_at = self.now
        self.sends.append(Send(peer.side, peer.routing_id, message, payload))

    def take(self) -> list[Send]:
        """Everything of this turn; the outbox is empty afterwards."""
        sends = self.sends
        self.sends = []
        return sends
