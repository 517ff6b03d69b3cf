"""The flags by which every calling subcommand finds the service, and its one-line errors."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import dcodex
from dcodex.channels import DEFAULT_TARGET


def new_parser(name: str, about: str, examples: str) -> argparse.ArgumentParser:
    """A parser whose --help ends in examples, with the flags that find the service."""
    parser = argparse.ArgumentParser(
        prog=f"dcodex {name}",
        description=about,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group = parser.add_argument_group("service")
    group.add_argument(
        "--target",
        default=os.environ.get("DCODEX_TARGET", DEFAULT_TARGET),
        help="HOST:PORT or unix:PATH (default: $DCODEX_TARGET, else %(default)s)",
    )
    group.add_argument(
        "--token",
        default=os.environ.get("DCODEX_TOKEN"),
        help="bearer token; better given as $DCODEX_TOKEN, which `ps` does not show",
    )
    group.add_argument(
        "--tls", action="store_true", help="encrypt, trusting the system's authorities"
    )
    group.add_argument("--ca", metavar="PEM", help="encrypt, trusting this authority")
    group.add_argument("--cert", metavar="PEM", help="this caller's certificate (mutual TLS)")
    group.add_argument("--key", metavar="PEM", help="its private key")
    return parser


def open_client(arguments: argparse.Namespace) -> dcodex.Client:
    """The client that the flags ask for."""
    return dcodex.connect(arguments.target, arguments.token, tls_of(arguments))


def open_async_client(arguments: argparse.Namespace) -> dcodex.AsyncClient:
    """The asyncio client that the flags ask for."""
    return dcodex.AsyncClient(arguments.target, arguments.token, tls_of(arguments))


class ServiceError(Exception):
    """The service refused or failed; the message is for the person at the terminal."""


@contextmanager
def plain_errors(target: str) -> Iterator[None]:
    """Turn the SDK's exceptions into ServiceError with a message that names the target."""
    try:
        yield
    except dcodex.Unavailable as error:
        message = f"cannot reach a farm at {target}: {_first_line(error)}"
        raise ServiceError(message) from None
    except dcodex.Exhausted as error:
        hint = f" (try again in {error.retry_after_s:g} s)" if error.retry_after_s else ""
        raise ServiceError(f"{_first_line(error)}{hint}") from None
    except dcodex.DCodeXError as error:
        raise ServiceError(_first_line(error)) from None


def complain(message: str) -> None:
    """One line on stderr, marked as ours."""
    print(f"dcodex: {message}", file=sys.stderr, flush=True)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def tls_of(arguments: argparse.Namespace) -> dcodex.TLS | bool:
    """What the flags say of encryption."""
    if arguments.ca or arguments.cert:
        return dcodex.TLS(ca=arguments.ca, certificate=arguments.cert, key=arguments.key)
    return bool(arguments.tls)
