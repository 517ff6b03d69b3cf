"""Ten thousand callers at once: as many as may wait are served, the others are told at once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import pytest

import dcodex
from dcodex.demo.preflight import missing_right
from dcodex.testing import Farm

CALLERS = 10_000
#: Connections that they share: a process has only so many descriptors.
CONNECTIONS = 8
#: What may wait, so that the rest is many.
QUEUED_MOST = 400
WORKERS = 4
#: For callers and service on the same two cores to exchange this many calls: some 8 s there.
REFUSED_S = 30.0


@dataclass(slots=True)
class Outcome:
    """What came of all calls."""

    served: int = 0
    #: Seconds until each was told.
    refused: list[float] = field(default_factory=list)
    other: list[str] = field(default_factory=list)


@pytest.mark.timeout(240)
def test_of_ten_thousand_callers_at_once_those_beyond_the_bound_are_refused_the_rest_served() -> (
    None
):
    right = missing_right()
    if right:
        pytest.skip(right)
    flags = (f"--min_workers={WORKERS}", f"--max_workers={WORKERS}")
    with Farm(*flags, f"--max_queued_per_tenant={QUEUED_MOST}", "--log_level=warning") as farm:
        outcome = asyncio.run(crowd(farm.target))
        assert farm.stop() == 0, farm.log_tail()
    assert outcome.other == []
    assert outcome.served + len(outcome.refused) == CALLERS
    assert outcome.served >= QUEUED_MOST
    slowest_s = max(outcome.refused)
    print(f"served {outcome.served}, refused {len(outcome.refused)}, slowest {slowest_s:.1f} s")
    assert slowest_s < REFUSED_S


async def crowd(target: str) -> Outcome:
    """All at once."""
    outcome = Outcome()

    async def ask(client: dcodex.AsyncClient, number: int) -> None:
        begun = time.monotonic()
        try:
            result = await client.run(f"print({number})", cache=False)
        except dcodex.Exhausted as error:
            outcome.refused.append(time.monotonic() - begun)
            if error.retry_after_s <= 0:
                outcome.other.append("refused without a word on when to come again")
        except dcodex.DCodeXError as error:
            outcome.other.append(f"{type(error).__name__}: {error}")
        else:
            outcome.served += result.text == f"{number}\n"

    clients = [dcodex.AsyncClient(target) for _ in range(CONNECTIONS)]
    await asyncio.gather(*(ask(clients[n % CONNECTIONS], n) for n in range(CALLERS)))
    for client in clients:
        await client.close()
    return outcome
