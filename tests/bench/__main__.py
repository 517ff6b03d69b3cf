"""The benchmark: every workload against the same program started by hand, in one run.

    python -m tests.bench [--quick] [--only W1,W5] [--json FILE] [--peer NAME=COMMAND]

Theory of operation
-------------------
Two caller processes (caller.py) run what they are told on one side at a time: the farm, the
same interpreter or compiler started by hand, or a peer's sandbox. Sides take turns in short
blocks, and before each turn the farm is quiet, so that nobody pays for another's leftovers.
A ratio is the median over the pairs of neighbouring blocks. CPU is that of the whole machine
(/proc/stat), from the first request until the farm is quiet again, less what the machine uses
while nobody calls; the callers are in it. No run is thrown away, and every output is checked.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.benchmark import Choice, run
from tests.bench.crew import JobFailed
from tests.bench.machine import describe
from tests.bench.plan import FULL, QUICK
from tests.bench.report import make_console, show
from tests.bench.results import Results, as_json
from tests.bench.sides import Side, parse_peer
from tests.bench.venv import default_directory
from tests.bench.workloads import ALL_KEYS, TITLES, WORKLOADS

from dcodex.testing import FarmFailed

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_MISSED = 3


def main(argv: Sequence[str]) -> int:
    """Run it; returns the exit status."""
    arguments = _parse(argv)
    # Told to end, it stops its farms and shows what it has, as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console, notes = make_console(), make_console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="dcodex-bench-") as directory:
        choice = Choice(
            keys=arguments.only,
            scale=QUICK if arguments.quick else FULL,
            workers=arguments.workers,
            gateways=arguments.gateways,
            peers=tuple(arguments.peer),
            known_peers=not arguments.no_peers,
            venv=None if arguments.no_packages else arguments.venv,
            directory=Path(directory),
        )
        with notes.status("starting") as status:

            def say(line: str) -> None:
                if notes.is_terminal:
                    status.update(line)
                else:
                    notes.print(line)

            results = Results(describe())
            try:
                run(choice, results, say)
            except (JobFailed, FarmFailed) as error:
                results.failures.append(str(error))
            except KeyboardInterrupt:
                results.failures.append("interrupted: what follows was not measured")
    Path(arguments.json).write_text(json.dumps(as_json(results), indent=1) + "\n")
    show(results, console)
    if results.failures:
        return EXIT_FAILED
    return EXIT_MISSED if arguments.strict and results.missed() else 0


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    rows = "\n".join(
        [f"  {row.key:10}{row.title}" for row in WORKLOADS]
        + [f"  {key:10}{title}" for key, title in TITLES.items()]
    )
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__.partition("\n")[0],
        epilog=f"rows:\n{rows}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="a few minutes, fewer repetitions")
    parser.add_argument("--only", type=_keys, default=ALL_KEYS, metavar="W1,W5", help="these rows")
    parser.add_argument("--json", default="bench.json", metavar="FILE", help="where figures go")
    parser.add_argument(
        "--peer",
        type=_peer,
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="also run every program behind COMMAND; {dir} in it is the program's directory",
    )
    parser.add_argument("--no-peers", action="store_true", help="leave bubblewrap and nsjail out")
    parser.add_argument("--workers", type=int, default=8, help="of the farm (default 8)")
    parser.add_argument("--gateways", type=int, default=1, help="of the farm (default 1)")
    parser.add_argument(
        "--venv",
        type=Path,
        default=default_directory(),
        metavar="DIR",
        help="where numpy and pandas are, or get installed (default: %(default)s)",
    )
    parser.add_argument(
        "--no-packages", action="store_true", help="a farm without numpy and pandas"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 3 where a must is missed")
    return parser.parse_args(argv)


def _keys(option: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in option.split(",") if key.strip())
    unknown = [key for key in keys if key not in ALL_KEYS]
    if unknown or not keys:
        raise argparse.ArgumentTypeError(f"rows are {', '.join(ALL_KEYS)}; got {option!r}")
    return keys


def _peer(option: str) -> Side:
    try:
        return parse_peer(option)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
