"""`dcodex doctor --live`: examine a running farm as its callers and its Prometheus see it.

Each check is bounded (probes.py). What follows from a failure is left out: without a gateway
nothing is said of workers.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import grpc

import dcodex
from dcodex.command.connection import complain, new_parser, open_client
from dcodex.doctor import probes, settings
from dcodex.doctor.certificates import NotACertificate, end_of_der, ends_of_pem
from dcodex.doctor.judge import (
    Trial,
    judge_clock,
    judge_expiry,
    judge_health,
    judge_languages,
    judge_page,
    judge_queues,
    judge_trial,
    judge_versions,
    judge_workers,
)
from dcodex.doctor.programs import PROGRAMS
from dcodex_shared.findings import Finding, as_json, as_text, is_fit

EXIT_UNFIT = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
#: Where the systemd units of deploy/ serve: gateway, coordinator, worker host.
USUAL_PORTS = (9464, 9465, 9466)

_ABOUT = """\
Examine a running farm end to end: the gateway and what it says of its health, the coordinator,
worker hosts and workers, a real program in each language that is talked to while it runs, each
process's metrics port, versions, clocks, and with --config its keys, certificates and tokens.
"""
_EXAMPLES = """\
  dcodex doctor --live
  dcodex doctor --live --target farm.example:50051 --tls --metrics gw:9464 --metrics co:9465
  dcodex doctor --live --config /etc/dcodex/dcodex.toml --json

exit status:
  0    the farm does all that it is for; a `note` may say what could be better
  1    a line is marked MISS; the arrow below it says what to do
  2    a flag is wrong
  130  interrupted
"""


def main(argv: Sequence[str]) -> int:
    """Examine a farm; prints a line for each finding."""
    parser = new_parser("doctor --live", _ABOUT, _EXAMPLES)
    parser.add_argument("--json", action="store_true", help="print JSON, one object a finding")
    parser.add_argument("--config", metavar="FILE", help="examine these settings' files too")
    parser.add_argument(
        "--metrics",
        metavar="HOST:PORT",
        action="append",
        default=[],
        help="a process's metrics port, once for each (default: 9464 to 9466 here, if any answers)",
    )
    arguments = parser.parse_args(argv)
    for address in arguments.metrics:
        if not probes.split_target(address)[0]:
            complain(f"--metrics wants HOST:PORT, got {address!r}")
            return EXIT_USAGE
    for path in filter(None, (arguments.ca, arguments.cert, arguments.key)):
        if not os.access(path, os.R_OK):
            complain(f"cannot read {path}")
            return EXIT_USAGE
    try:
        findings = list(examine(arguments))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    conclusions = ("this farm runs programs", "this farm needs attention")
    print(as_json(findings) if arguments.json else as_text(findings, conclusions))
    return 0 if is_fit(findings) else EXIT_UNFIT


def examine(arguments: argparse.Namespace) -> Iterator[Finding]:
    """Every check that can be made, in the order of a request's way."""
    # What certificates and the other machines' clocks are held against.
    now = time.time()
    if arguments.config:
        yield from settings.examine(arguments.config, os.environ, now)
    yield from _callers_side(arguments, now)
    yield from _operators_side(arguments)


def _callers_side(arguments: argparse.Namespace, now: float) -> Iterator[Finding]:
    try:
        with probes.channel(arguments) as channel:
            yield Finding("gateway", True, True, f"gRPC at {arguments.target}")
            yield from _farm(arguments, channel)
    except probes.Unreachable as error:
        yield Finding("gateway", False, True, error.text, error.remedy)
        if arguments.tls or arguments.ca or arguments.cert:
            yield from _certificates(arguments, now)
        return
    if arguments.tls or arguments.ca or arguments.cert:
        yield from _certificates(arguments, now)


def _farm(arguments: argparse.Namespace, channel: grpc.Channel) -> Iterator[Finding]:
    trials: list[Trial] = []
    with open_client(arguments) as client:
        try:
            languages = client.languages(timeout_s=probes.ANSWER_S)
            snapshot = probes.farm(client)
        except (dcodex.Unauthenticated, dcodex.Refused) as error:
            yield Finding(
                "token",
                False,
                True,
                _first_line(error),
                "give a caller's token as $DCODEX_TOKEN or --token, or --cert and --key",
            )
            return
        except dcodex.DCodeXError as error:
            yield Finding(
                "coordinator",
                False,
                True,
                _first_line(error),
                "start it (`systemctl start dcodex-coordinator`); where it runs, gateway_endpoint, "
                "runtime_dir and keys must be the same for both: the gateway's journal says which",
            )
        else:
            yield Finding("coordinator", True, True, "the gateway has met it")
            yield judge_languages(languages)
            if languages:
                yield judge_workers(snapshot)
                yield judge_queues(snapshot)
            for language in languages:
                if language.name in PROGRAMS:
                    trials.append(probes.attempt(client, language.name))
                    yield judge_trial(trials[-1])
    yield judge_health(probes.health(channel), trials)


def _certificates(arguments: argparse.Namespace, now: float) -> Iterator[Finding]:
    try:
        served = probes.served_certificate(arguments)
        yield judge_expiry("certificate", "the gateway's", [end_of_der(served)], now)
        if arguments.cert:
            ends = ends_of_pem(Path(arguments.cert).read_bytes())
            yield judge_expiry("certificate", arguments.cert, ends, now)
    except (OSError, NotACertificate) as error:
        yield Finding(
            "certificate", False, True, f"TLS at the target: {error}", "does the gateway serve TLS?"
        )


def _operators_side(arguments: argparse.Namespace) -> Iterator[Finding]:
    asked = bool(arguments.metrics)
    addresses = arguments.metrics or [f"127.0.0.1:{port}" for port in USUAL_PORTS]
    pages = [probes.page(address) for address in addresses]
    if not asked and all(page.error for page in pages):
        yield Finding(
            "metrics",
            False,
            False,
            "nobody serves metrics at the usual ports of this machine",
            "name them, once for each process: --metrics HOST:PORT (its log says which port)",
        )
        return
    # Where one of the usual three answers, the others ought to.
    yield from map(judge_page, pages)
    for finding in (judge_versions(version("dcodex"), pages), judge_clock(pages)):
        if finding is not None:
            yield finding


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
