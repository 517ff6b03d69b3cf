"""Frames of an enemy, for as long as one likes: `python -m tests.fuzz --seconds 100`.

Prints how many frames each target took; ends with a traceback where one fell over.
"""

from __future__ import annotations

import argparse
import time

from tests.fuzz import codec, coordinator, gateway, public_port

TARGETS = {
    "codec": codec.fuzz,
    "coordinator": coordinator.fuzz,
    "gateway": gateway.fuzz,
    "grpc": public_port.fuzz,
}


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="tests.fuzz", description="Try to make a part fall over.")
    parser.add_argument("--seconds", type=float, default=60.0, help="in all (default 60)")
    parser.add_argument("--seed", type=int, help="default: the clock")
    parser.add_argument("--only", choices=TARGETS, help="one target (default: all, in turn)")
    flags = parser.parse_args()
    seed = flags.seed if flags.seed is not None else time.monotonic_ns() % 1_000_000
    chosen = [flags.only] if flags.only else list(TARGETS)
    for name in chosen:
        print(f"{name}: seed {seed}", flush=True)
        count = TARGETS[name](seed, flags.seconds / len(chosen))
        print(f"{name}: {count:,} frames", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
