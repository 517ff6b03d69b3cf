"""`dcodex keys` and `dcodex tokens`: what processes and callers show to be let in."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dcodex.command.connection import complain
from dcodex_gateway.tokens import new_token, valid_tenant
from dcodex_shared.config import ConfigError
from dcodex_shared.keys import make_keys

EXIT_FAILED = 1

_KEYS_EXAMPLES = """\
examples:
  dcodex keys new coordinator --dir /etc/dcodex/keys
  dcodex keys new host-a --dir /etc/dcodex/keys

Each process that talks TCP gets a pair of its own. NAME.key stays with it (key_file); NAME.pub
of the coordinator goes to the others (coordinator_key), those of the others to the coordinator
(allowed_keys).
"""
_TOKENS_EXAMPLES = """\
examples:
  dcodex tokens new ci >> /etc/dcodex/tokens.toml

The token itself is shown once, on stderr: give it to the caller (DCODEX_TOKEN). What goes into
the gateway's tokens file is its hash, on stdout.
"""


def main(argv: Sequence[str]) -> int:
    """Make a CURVE key pair."""
    parser = _parser("keys", "Make CURVE keys for TCP between the processes.", _KEYS_EXAMPLES)
    parser.add_argument("action", choices=["new"])
    parser.add_argument("name", help="whose they are: a process or machine")
    parser.add_argument("--dir", type=Path, default=Path(), help="where to (default: here)")
    arguments = parser.parse_args(argv)
    try:
        pair, public = make_keys(arguments.dir, arguments.name)
    except ConfigError as error:
        complain(str(error))
        return EXIT_FAILED
    print(pair)
    print(public)
    return 0


def tokens(argv: Sequence[str]) -> int:
    """Make a token for a caller."""
    parser = _parser("tokens", "Make a token that names a tenant.", _TOKENS_EXAMPLES)
    parser.add_argument("action", choices=["new"])
    parser.add_argument("tenant", help="whom it names")
    arguments = parser.parse_args(argv)
    if not valid_tenant(arguments.tenant):
        complain(f"a tenant's name is of letters, digits and ._@-, got {arguments.tenant!r}")
        return EXIT_FAILED
    token, digest = new_token()
    print(token, file=sys.stderr)
    print(f'[[token]]\ntenant = "{arguments.tenant}"\nsha256 = "{digest}"')
    return 0


def _parser(name: str, about: str, examples: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=f"dcodex {name}",
        description=about,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
