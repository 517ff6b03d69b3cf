"""`dcodex languages`: what the farm runs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import dcodex
from dcodex.command.connection import (
    ServiceError,
    complain,
    new_parser,
    open_client,
    plain_errors,
)
from dcodex.command.outcome import EXIT_SERVICE

#: A service that does not answer this fast is not there for a person.
TIMEOUT_S = 10.0

_EXAMPLES = """\
  dcodex languages
  dcodex languages --json | jq -r '.[].name'
  dcodex languages --target farm.example:50051 --tls
"""


def main(argv: Sequence[str]) -> int:
    """Print the farm's languages."""
    parser = new_parser("languages", "Say which languages the farm runs now.", _EXAMPLES)
    parser.add_argument("--json", action="store_true", help="as a JSON array")
    arguments = parser.parse_args(argv)
    try:
        with open_client(arguments) as client, plain_errors(arguments.target):
            languages = client.languages(timeout_s=TIMEOUT_S)
    except ServiceError as error:
        complain(str(error))
        return EXIT_SERVICE
    except KeyboardInterrupt:
        return 130
    if arguments.json:
        print(json.dumps([dataclasses.asdict(language) for language in languages], indent=2))
        return 0
    head = ("LANGUAGE", "VERSION", "FILES", "ALSO", "CPU", "WALL", "MEMORY", "OUTPUT")
    rows: list[tuple[str, ...]] = [head, *map(_row, languages)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip())
    return 0


def _row(language: dcodex.Language) -> tuple[str, ...]:
    limits = language.default_limits
    return (
        language.name,
        language.version,
        f"*{language.extension}",
        ", ".join(language.aliases),
        f"{limits.cpu_s or 0:g} s",
        f"{limits.wall_s or 0:g} s",
        human_bytes(limits.memory_bytes or 0),
        human_bytes(limits.output_bytes or 0),
    )


def human_bytes(count: int) -> str:
    """4294967296 as "4 GiB"."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.4g} {unit}"
        amount /= 1024
    return f"{amount:.4g} TiB"
