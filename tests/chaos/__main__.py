"""`make chaos`: faults at random under load, every answer checked.

    make chaos ARGS="--seconds 600 --seed 7 --callers 16"

Prints a line now and then, and at the end what came of it; the status is 1 if an answer was
wrong or lost, or anything was left behind.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from tests.chaos.faults import ALL
from tests.chaos.stalled import hold
from tests.chaos.storm import Plan, run

from dcodex.demo.leftovers import adopt_orphans
from dcodex.demo.preflight import missing_right
from dcodex.testing import FarmFailed


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="make chaos", description="Try to break a farm.")
    parser.add_argument("--seconds", type=float, default=600.0, help="how long (default 600)")
    parser.add_argument("--seed", type=int, help="of load and faults (default: the clock)")
    parser.add_argument("--callers", type=int, default=12, help="at one time (default 12)")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between faults, mean")
    parser.add_argument("--only", help="faults whose names contain this, as kill or gateway")
    parser.add_argument(
        "--stalled",
        type=int,
        metavar="N",
        help="no faults: N readers of endless output that stop reading, for --seconds",
    )
    flags = parser.parse_args()
    right = missing_right()
    if right:
        print(right, file=sys.stderr)
        return 2
    adopt_orphans()
    try:
        if flags.stalled:
            return hold(flags.stalled, flags.seconds, _say)
        seed = flags.seed if flags.seed is not None else time.monotonic_ns() % 1_000_000
        faults = [fault for fault in ALL if not flags.only or flags.only in fault.name]
        if not faults:
            parser.error(f"no fault is named {flags.only}; there are " + _names())
        _say(f"seed {seed}")
        tally = asyncio.run(
            run(Plan(flags.seconds, seed, flags.callers, flags.pause, faults), _say)
        )
    except FarmFailed as error:
        print(f"the farm did not start: {error}", file=sys.stderr)
        return 1
    _say(tally.report())
    _say("passed" if tally.passed else "FAILED")
    return 0 if tally.passed else 1


def _names() -> str:
    return ", ".join(fault.name for fault in ALL)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
