"""The `dcodex` command: finds the subcommand and hands its arguments over."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: What these exit with besides a program's own status: a wrong command line, and our failure.
EXIT_USAGE = 2
EXIT_SERVICE = 125


@dataclass(frozen=True, slots=True)
class Subcommand:
    """Where a subcommand's `main(argv) -> int` is, and what it is for."""

    module: str
    about: str
    #: It is part of the service, whose dependencies a caller need not have installed.
    server: bool = False
    #: The function's name.
    entry: str = "main"


SUBCOMMANDS = {
    "run": Subcommand("dcodex.command.run", "run a program, with live output and input"),
    "repl": Subcommand("dcodex.command.repl", "type programs and see them run"),
    "languages": Subcommand("dcodex.command.languages", "say what the farm runs"),
    "top": Subcommand("dcodex.command.top", "watch workers and queues", server=True),
    "up": Subcommand("dcodex.command.up", "start everything on this machine", server=True),
    "gateway": Subcommand("dcodex_gateway.__main__", "start a gateway", server=True),
    "coordinator": Subcommand("dcodex_coordinator.__main__", "start the coordinator", server=True),
    "worker": Subcommand("dcodex_worker.__main__", "start this machine's workers", server=True),
    "keys": Subcommand("dcodex.command.keys", "make keys for the processes' TCP", server=True),
    "tokens": Subcommand(
        "dcodex.command.keys", "make a token for a caller", server=True, entry="tokens"
    ),
    "runtime": Subcommand(
        "dcodex.command.runtime", "make and examine what programs import from", server=True
    ),
    "doctor": Subcommand(
        "dcodex.command.doctor", "examine this machine, or a running farm (--live)", server=True
    ),
}

_HELP = """\
usage: dcodex COMMAND [argument ...]

Run untrusted programs in sandboxes, and the farm that runs them.

commands:
{commands}

`dcodex COMMAND --help` says more about each.

examples:
  dcodex up --min_workers 4          a farm on this machine, at localhost:50051
  dcodex run hello.py                run a program there
  echo 21 | dcodex run double.cpp    with input
  dcodex top                         watch it work
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_HELP.format(commands=_list_commands()), end="")
        return 0 if arguments else EXIT_USAGE
    if arguments[0] in ("-V", "--version"):
        from importlib.metadata import version

        print(f"dcodex {version('dcodex')}")
        return 0
    name, *rest = arguments
    subcommand = SUBCOMMANDS.get(name)
    if subcommand is None:
        print(f"dcodex: no command {name!r}; there are {', '.join(SUBCOMMANDS)}", file=sys.stderr)
        return EXIT_USAGE
    try:
        return _load(subcommand)(rest)
    except ModuleNotFoundError as error:
        # A part of the service imports what it runs on when it is called.
        if not subcommand.server:
            raise
        print(
            f"dcodex: `dcodex {name}` needs the service's packages ({error.name} is missing): "
            "pip install 'dcodex[server]'",
            file=sys.stderr,
        )
        return EXIT_SERVICE
    except BrokenPipeError:
        # Whoever read our output has gone; nothing is left to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13


def _load(subcommand: Subcommand) -> Callable[[Sequence[str]], int]:
    module = importlib.import_module(subcommand.module)
    entry: Callable[[Sequence[str]], int] = getattr(module, subcommand.entry)
    return entry


def _list_commands() -> str:
    width = max(map(len, SUBCOMMANDS))
    return "\n".join(f"  {name:<{width}}  {sub.about}" for name, sub in SUBCOMMANDS.items())
