"""Whether the coordinator is there: pure, from what was heard and when.

AWAY until a connection stands, GREETED from our Hello to its Welcome, then MET. Silence for
LOST_S, a Goodbye, a lost connection or another coordinator's Welcome end the acquaintance:
that is LOST, from which only a new connection leads on. Who is AWAY because the handshake was
refused tries a new connection after RETRY_S, for the list of keys may have been mended.
"""

from __future__ import annotations

from enum import Enum

from dcodex_shared.messages import (
    HEARTBEAT_S,
    LOST_S,
    SPOKEN_VERSIONS,
    Goodbye,
    Message,
    Welcome,
)

#: The pause after a refused handshake, in seconds: libzmq gives such a connection up.
RETRY_S = 1.0


class State(Enum):
    """How we stand with the coordinator."""

    AWAY = "away"
    GREETED = "greeted"
    MET = "met"
    LOST = "lost"


#: Those in which both sides give signs of life.
_STANDING = (State.GREETED, State.MET)


class Presence:
    """The acquaintance over one connection."""

    def __init__(self, now: float) -> None:
        #: Changed only by the methods below, along the order of State.
        self.state = State.AWAY
        #: Why it is LOST; for the log.
        self.reason = ""
        self.boot_id = ""
        self._heard = now
        self._sent = now
        #: While AWAY: when to try anew; infinite unless the handshake was refused.
        self._retry_at = float("inf")

    def connected(self, now: float) -> bool:
        """A connection stands; True: say Hello."""
        if self.state is not State.AWAY:
            return False
        self.state = State.GREETED
        self._heard = self._sent = now
        return True

    def disconnected(self) -> None:
        """The connection broke. The coordinator knows its peers by connection, so all is lost."""
        if self.state is not State.AWAY:
            self.lose("the connection broke")

    def refused(self, now: float) -> None:
        """The coordinator's end broke the handshake off: our keys are not to its liking."""
        self._retry_at = min(self._retry_at, now + RETRY_S)

    def wants_retry(self, now: float) -> bool:
        """Whether a new connection is due, since nothing more comes of this one."""
        return self.state is State.AWAY and now >= self._retry_at

    def heard(self, message: Message, now: float) -> None:
        """Something came from the coordinator."""
        self._heard = now
        match message:
            case Welcome(boot_id=boot_id, version=version):
                if version not in SPOKEN_VERSIONS:
                    self.lose(f"it speaks version {version} of the protocol")
                elif self.boot_id and boot_id != self.boot_id:
                    self.lose("it was replaced")
                elif self.state is State.GREETED:
                    self.boot_id = boot_id
                    self.state = State.MET
            case Goodbye(reason=reason):
                self.lose(f"it said goodbye: {reason}")
            case _:
                pass

    def sent(self, now: float) -> None:
        """Something was sent to the coordinator."""
        self._sent = now

    def wants_beat(self, now: float) -> bool:
        """Whether a Heartbeat is due."""
        return self.state in _STANDING and now >= self._sent + HEARTBEAT_S

    def resumed(self, now: float) -> None:
        """This process was stopped itself, and knows nothing of the coordinator's silence."""
        self._heard = now

    def expire(self, now: float) -> None:
        """Lose what was silent too long. Only after everything that has arrived was heard."""
        if self.state in _STANDING and now >= self._heard + LOST_S:
            self.lose(f"nothing was heard for {now - self._heard:.1f} s")

    def lose(self, reason: str) -> None:
        """End the acquaintance; the first reason stands."""
        if self.state is not State.LOST:
            self.state = State.LOST
            self.reason = reason

    def next_deadline(self) -> float:
        """When to look again though nothing happened."""
        if self.state in _STANDING:
            return min(self._sent + HEARTBEAT_S, self._heard + LOST_S)
        return self._retry_at if self.state is State.AWAY else float("inf")
