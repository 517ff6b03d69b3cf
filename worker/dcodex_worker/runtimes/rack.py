"""One worker's armed sandboxes that nothing has run in yet, by their kind.

What an execution did not need (the large interpreter, the compiler of a cached program) stays
for the next one: only what was used is armed anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcodex_worker.sandbox.box import Sandbox


@dataclass(frozen=True, slots=True)
class Prepared:
    """For which compiles tools wait in a sandbox."""

    language: str
    #: Compiler options.
    arguments: tuple[str, ...]
    #: How the program's text begins, where that was foreseen (openings.py).
    opening: bytes


@dataclass(slots=True)
class Spare:
    """An armed sandbox."""

    sandbox: Sandbox
    #: None where nothing waits in it.
    prepared: Prepared | None = None


class Rack:
    """At most one spare sandbox of each kind."""

    def __init__(self) -> None:
        self._spares: dict[str, Spare] = {}

    def get(self, kind: str) -> Spare | None:
        """The spare of this kind, left where it is."""
        return self._spares.get(kind)

    def put(self, kind: str, sandbox: Sandbox) -> Spare:
        """Keep it until it is taken."""
        assert kind not in self._spares
        spare = self._spares[kind] = Spare(sandbox)
        return spare

    def take(self, kind: str) -> Sandbox:
        """From here on it is the taker's, who destroys it."""
        return self._spares.pop(kind).sandbox

    def drop(self, kind: str) -> None:
        """Destroy the spare of this kind, if there is one; raises SetupError."""
        spare = self._spares.pop(kind, None)
        if spare is not None:
            spare.sandbox.destroy()
