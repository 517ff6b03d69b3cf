"""`python -m tests.simulation`: simulate for as long as one likes.

    python -m tests.simulation [--seconds 60] [--seed 1] [--steps 20000]

Seeds count up from --seed; the first that breaks an invariant is printed and ends the run.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time

from tests.simulation.world import World


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long, at least one seed")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--steps", type=int, default=20_000, help="steps of storm for each seed")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    end = time.monotonic() + arguments.seconds
    seed = arguments.seed
    steps = leases = 0
    while True:
        try:
            tally = World(seed).run(arguments.steps)
        except Exception:
            print(f"FAILED: replay with --seed {seed} --steps {arguments.steps} --seconds 0")
            raise
        steps += tally.steps
        leases += tally.leases
        seed += 1
        if time.monotonic() >= end:
            break
    print(f"survived seeds={seed - arguments.seed} steps={steps} leases={leases}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
