"""The acquaintance with the coordinator: when to greet, beat, give up and try again (pure).

    CONNECTING ──connected──▶ GREETING ──Welcome──▶ UP
        ▲                         │                  │
        └───REOPEN── DOWN ◀───────┴─ disconnected, Goodbye, silence, another boot_id

Whatever was under way when the session leaves UP is lost: the coordinator that comes back may
be a successor that never heard of it.
"""

from __future__ import annotations

from enum import Enum, auto

from dcodex_shared.messages import HEARTBEAT_S, LOST_S, Goodbye, Message, Welcome

#: The pause before a broken connection is tried again: long enough not to spin.
RECONNECT_S = 0.1
#: The pause after a Goodbye, silence or a refusal: the same peer would most likely do the same.
REGREET_S = 1.0


class State(Enum):
    """Where the acquaintance stands."""

    CONNECTING = auto()
    GREETING = auto()
    UP = auto()
    DOWN = auto()


class Step(Enum):
    """What the shell has to do next."""

    #: Say Hello.
    GREET = auto()
    #: Tell everyone that the coordinator is there.
    UP = auto()
    #: Close the socket; everything under way is lost.
    LOST = auto()
    #: Open a fresh socket.
    REOPEN = auto()
    #: Send Heartbeat.
    BEAT = auto()


class Session:
    """One gateway's acquaintance with whoever is the coordinator."""

    def __init__(self) -> None:
        self.state = State.CONNECTING
        #: Why it went DOWN the last time, for the log and for callers.
        self.reason = "no coordinator yet"
        #: Whether a connection stood when it went DOWN the last time.
        self.stood = False
        #: Of the coordinator met last; empty before.
        self.boot_id = ""
        self._heard = 0.0
        self._sent = 0.0
        self._retry_at = 0.0

    def connected(self, now: float) -> Step | None:
        """The transport stands."""
        if self.state is not State.CONNECTING:
            return None
        self.state = State.GREETING
        self._heard = self._sent = now
        return Step.GREET

    def disconnected(self, now: float) -> Step | None:
        """The transport broke."""
        if self.state is State.CONNECTING:
            # It never stood: whoever ends connections so soon will do so with the next.
            return self._lose("it ends every connection", now, REGREET_S)
        return self._lose("the connection broke", now, RECONNECT_S)

    def refused(self, now: float) -> Step | None:
        """The coordinator's end broke the handshake off: our keys are not to its liking."""
        return self._lose("it refuses the handshake: check the keys", now, REGREET_S)

    def unable(self, why: str, now: float) -> Step | None:
        """No connection can be tried: this process lacks something."""
        return self._lose(why, now, REGREET_S)

    def stuck(self, now: float) -> Step | None:
        """The coordinator takes no more messages."""
        return self._lose("the coordinator takes no messages", now, REGREET_S)

    def sent(self, now: float) -> None:
        """Something was sent, which counts as a beat."""
        self._sent = now

    def receive(self, message: Message, now: float) -> Step | None:
        """A message of any kind came in."""
        self._heard = now
        match message:
            case Welcome(boot_id=boot_id) if self.state is State.GREETING:
                self.state = State.UP
                self.boot_id = boot_id
                return Step.UP
            case Welcome(boot_id=boot_id) if self.state is State.UP and boot_id != self.boot_id:
                return self._lose("another coordinator took over", now, RECONNECT_S)
            case Goodbye(reason=reason):
                return self._lose(f"the coordinator said goodbye: {reason}", now, REGREET_S)
            case _:
                return None

    def expire(self, now: float) -> Step | None:
        """What time alone brings about."""
        match self.state:
            case State.CONNECTING:
                return None
            case State.DOWN:
                if now < self._retry_at:
                    return None
                self.state = State.CONNECTING
                return Step.REOPEN
            case State.GREETING | State.UP:
                if now >= self._heard + LOST_S:
                    return self._lose("the coordinator is silent", now, REGREET_S)
                return Step.BEAT if now >= self._sent + HEARTBEAT_S else None

    def next_deadline(self) -> float | None:
        """When to call expire() next; None: not before something happens."""
        match self.state:
            case State.CONNECTING:
                return None
            case State.DOWN:
                return self._retry_at
            case State.GREETING | State.UP:
                return min(self._heard + LOST_S, self._sent + HEARTBEAT_S)

    def _lose(self, reason: str, now: float, pause_s: float) -> Step | None:
        if self.state is State.DOWN:
            return None
        self.stood = self.state is not State.CONNECTING
        self.state = State.DOWN
        self.reason = reason
        self._retry_at = now + pause_s
        return Step.LOST
