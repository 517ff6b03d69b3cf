"""What is done to a farm: kills, stops, restarts with drain, a hostile peer."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.chaos import garbage
from tests.chaos.parts import Process, Role, parts_of, send

from dcodex.testing import Farm

#: The longest time for which anything is stopped: beyond LOST_S, so that some are declared dead.
STOPPED_MOST_S = 10.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind."""

    #: "kill", "stop" (SIGSTOP, and SIGCONT later), "drain" (SIGTERM) or "garbage".
    verb: str
    #: Whom it hits; None: the sockets.
    role: Role | None
    #: How often, against the others.
    weight: float

    @property
    def name(self) -> str:
        """As in the report."""
        return f"{self.verb}_{self.role.value}" if self.role else self.verb


#: What costs the farm seconds comes less often than what it shrugs off.
ALL = (
    Fault("kill", Role.WORKER, 6),
    Fault("kill", Role.KEEPER, 4),
    Fault("kill", Role.TEMPLATE, 2),
    Fault("kill", Role.NURSERY, 1),
    Fault("kill", Role.HOST, 1),
    Fault("kill", Role.GATEWAY, 2),
    Fault("kill", Role.COORDINATOR, 1),
    Fault("stop", Role.WORKER, 3),
    Fault("stop", Role.KEEPER, 2),
    Fault("stop", Role.TEMPLATE, 1),
    Fault("stop", Role.NURSERY, 1),
    Fault("stop", Role.HOST, 1),
    Fault("stop", Role.GATEWAY, 2),
    Fault("stop", Role.COORDINATOR, 1),
    Fault("drain", Role.HOST, 1),
    Fault("drain", Role.GATEWAY, 2),
    Fault("drain", Role.COORDINATOR, 1),
    Fault("garbage", None, 6),
)


def choose(rng: Random, faults: Sequence[Fault]) -> Fault:
    """One by weight."""
    return rng.choices(faults, [fault.weight for fault in faults])[0]


class Hand:
    """Does faults to one farm."""

    def __init__(self, farm: Farm, rng: Random) -> None:
        self._farm = farm
        self._rng = rng
        #: SIGSTOPped now, each with the task that will let it go on.
        self._stopped: dict[int, asyncio.Task[None]] = {}
        #: Told to drain: to be told twice means to hurry.
        self._drained: set[int] = set()
        #: How often a coordinator was hit.
        self.disturbances = 0

    async def act(self, fault: Fault) -> bool:
        """Do it now; False where there is nobody to do it to."""
        if fault.role is None:
            await asyncio.to_thread(garbage.visit, self._farm.runtime_dir, self._rng)
            return True
        candidates = [
            process
            for process in parts_of(self._farm.process.pid)[fault.role]
            if process.pid not in self._stopped
        ]
        if not candidates:
            return False
        victim = self._rng.choice(candidates)
        if fault.role is Role.COORDINATOR:
            self.disturbances += 1
        match fault.verb:
            case "kill":
                return send(victim, signal.SIGKILL)
            case "drain":
                if victim.pid in self._drained:
                    return False
                self._drained.add(victim.pid)
                return send(victim, signal.SIGTERM)
            case _:
                return self._stop(victim)

    async def let_go(self) -> None:
        """End every SIGSTOP."""
        for task in self._stopped.values():
            task.cancel()
        await asyncio.gather(*self._stopped.values(), return_exceptions=True)

    def _stop(self, victim: Process) -> bool:
        if not send(victim, signal.SIGSTOP):
            return False
        seconds = self._rng.uniform(0.2, STOPPED_MOST_S)
        self._stopped[victim.pid] = asyncio.create_task(self._go_on(victim, seconds))
        return True

    async def _go_on(self, victim: Process, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
        finally:
            send(victim, signal.SIGCONT)
            del self._stopped[victim.pid]
