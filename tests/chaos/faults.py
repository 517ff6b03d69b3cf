"""What is done to a farm: kills, stops, restarts with drain, a hostile peer."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.chaos import garbage
from tests.chaos.parts import Process, Role, parts_of, send

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

    def __init__(self, up: int, runtime_dir: Path, deeds: list[str], rng: Random) -> None:
        """up: the pid of its `dcodex up`."""
        self._up = up
        self._runtime_dir = runtime_dir
        #: What was done, when by the log's clock, and to whom.
        self._deeds = deeds
        self._rng = rng
        #: SIGSTOPped now, each with the timer that will let it go on.
        self._stopped: dict[int, tuple[Process, asyncio.TimerHandle]] = {}
        #: Told to drain: to be told twice means to hurry.
        self._drained: set[int] = set()
        #: How often a coordinator was hit.
        self.disturbances = 0

    async def act(self, fault: Fault) -> bool:
        """Do it now; False where there is nobody to do it to."""
        if fault.role is None:
            await asyncio.to_thread(garbage.visit, self._runtime_dir, self._rng)
            return True
        candidates = [
            process
            for process in parts_of(self._up)[fault.role]
            if process.pid not in self._stopped
        ]
        if not candidates:
            return False
        victim = self._rng.choice(candidates)
        if fault.role is Role.COORDINATOR:
            self.disturbances += 1
        self._deeds.append(f"{time.strftime('%H:%M:%S')} {fault.name} pid={victim.pid}")
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

    def let_go(self) -> None:
        """End every SIGSTOP."""
        for victim, timer in list(self._stopped.values()):
            timer.cancel()
            self._go_on(victim)

    def _stop(self, victim: Process) -> bool:
        if not send(victim, signal.SIGSTOP):
            return False
        seconds = self._rng.uniform(0.2, STOPPED_MOST_S)
        timer = asyncio.get_running_loop().call_later(seconds, self._go_on, victim)
        self._stopped[victim.pid] = victim, timer
        return True

    def _go_on(self, victim: Process) -> None:
        send(victim, signal.SIGCONT)
        del self._stopped[victim.pid]
