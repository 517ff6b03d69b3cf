"""When a part that died is started again: at once the first time, then ever later, bounded."""

from __future__ import annotations

from dataclasses import dataclass

#: The first wait, doubled with every death in a row.
FIRST_DELAY_S = 0.1
#: Long enough to keep a part that cannot start from eating a core, short for who waits for it.
LONGEST_DELAY_S = 5.0
#: A part that lived this long was healthy: its next death starts the row anew.
HEALTHY_S = 30.0
#: Deaths in a row before the farm was ever ready that mean it never will be.
HOPELESS_DEATHS = 3
#: A part's status when its configuration is wrong: starting it again cannot help.
EXIT_USAGE = 2


@dataclass(frozen=True, slots=True)
class History:
    """How a part fared so far."""

    #: Deaths in a row, each soon after its start.
    deaths: int = 0


@dataclass(frozen=True, slots=True)
class Again:
    """Start it after this many seconds."""

    delay_s: float
    history: History


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Stop the farm with this status."""

    status: int


def after_death(history: History, lived_s: float, status: int, ready: bool) -> Again | GiveUp:
    """What to do about a part that ended by itself.

    status: its exit status, negative for a signal. ready: whether the farm ever was.
    """
    deaths = 1 if lived_s >= HEALTHY_S else history.deaths + 1
    if not ready and status == EXIT_USAGE:
        return GiveUp(EXIT_USAGE)
    if not ready and deaths >= HOPELESS_DEATHS:
        return GiveUp(1)
    delay_s = min(FIRST_DELAY_S * 2.0 ** min(deaths - 1, 16), LONGEST_DELAY_S)
    return Again(delay_s, History(deaths))
