"""`dcodex runtime`: makes and examines what programs import from."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
from collections.abc import Sequence
from dataclasses import replace

from dcodex.command.connection import complain
from dcodex.command.outcome import EXIT_INTERRUPTED
from dcodex_shared.config import PRELOAD, ConfigError, WorkerSettings, load
from dcodex_shared.findings import Finding, as_json, as_text, is_fit
from dcodex_worker.provision.check import check
from dcodex_worker.provision.make import make
from dcodex_worker.provision.place import MakeError
from dcodex_worker.runtimes import python

EXIT_FAILED = 1
#: Of what templates import, what an operator who names nothing gets: packages of these names.
PACKAGES = tuple(" ".join(PRELOAD).split())

_ABOUT = """\
A runtime is a virtual environment whose packages programs may import; a host that is started with
`--python_venv DIR` has those of --preload imported before a program comes.
"""
_EXAMPLES = f"""\
examples:
  dcodex runtime make /srv/science                    with {" ".join(PACKAGES)}
  dcodex runtime make /srv/science numpy==2.2.6 requests
  dcodex runtime make /srv/science -r requirements.txt --python /usr/bin/python3.12
  dcodex runtime check /srv/science                   what a host would make of it
  dcodex worker --python_venv /srv/science

`make` puts a runtime in its place when it is whole and has been examined, and leaves nothing
otherwise. pip reads its own configuration and variables (PIP_INDEX_URL, PIP_FIND_LINKS, ...).
A host keeps what it has imported: make the next runtime beside, and restart the host with it.
"""


def main(argv: Sequence[str]) -> int:
    """Make a runtime, or examine one."""
    parser = argparse.ArgumentParser(
        prog="dcodex runtime",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["make", "check"])
    parser.add_argument("directory", metavar="DIR", help="where the runtime is, or shall be")
    parser.add_argument(
        "packages",
        nargs="*",
        metavar="PACKAGE",
        help=f"what to install, as pip has it (default: {' '.join(PACKAGES)})",
    )
    group = parser.add_argument_group("make")
    group.add_argument("-r", "--requirement", action="append", default=[], metavar="FILE")
    group.add_argument("-c", "--constraint", action="append", default=[], metavar="FILE")
    group.add_argument("--python", help="the interpreter (default: the one that programs get)")
    group.add_argument("--replace", action="store_true", help="make one anew that is there")
    parser.add_argument("--json", action="store_true", help="print findings as JSON")
    parser.add_argument("--preload", help="modules to import ahead, as for `dcodex worker`")
    parser.add_argument("--config", metavar="FILE", help="TOML file of settings")
    arguments = parser.parse_intermixed_args(argv)
    of_make = arguments.packages or arguments.requirement or arguments.constraint
    if arguments.action == "check" and (of_make or arguments.python or arguments.replace):
        parser.error("check takes DIR and nothing of make's")
    try:
        settings = load(WorkerSettings, arguments, os.environ)
    except ConfigError as error:
        parser.exit(2, f"dcodex runtime: {error}\n")
    directory = os.path.realpath(arguments.directory)
    if arguments.action == "check":
        return _show(check(directory, settings), directory, arguments)
    # Ended as by Ctrl-C, with nothing left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _make(directory, settings, arguments)
    except MakeError as error:
        complain(str(error))
        return EXIT_FAILED
    except KeyboardInterrupt:
        complain("interrupted; nothing was made")
        return EXIT_INTERRUPTED


def _make(directory: str, settings: WorkerSettings, arguments: argparse.Namespace) -> int:
    found: list[Finding] = []

    def accept(build: str) -> None:
        found.extend(check(build, settings))
        if not is_fit(found):
            _show(found, directory, arguments)
            raise MakeError("it could not be used, as it says above; nothing was made")

    wanted = [*arguments.packages]
    for option in ("requirement", "constraint"):
        for file in getattr(arguments, option):
            wanted += [f"--{option}", file]
    if not (arguments.packages or arguments.requirement):
        wanted += PACKAGES
    interpreter = python.path_of(replace(settings, python_venv=""))
    make(directory, interpreter, wanted, accept, replace=arguments.replace)
    return _show(found, directory, arguments)


def _show(findings: list[Finding], directory: str, arguments: argparse.Namespace) -> int:
    """Print them, with how to start a host; returns the exit status."""
    option = f"--python_venv {shlex.quote(directory)}"
    if arguments.preload is not None:
        option += f" --preload {shlex.quote(arguments.preload)}"
    conclusions = (f"to use it: dcodex worker {option}", "no host can use this runtime")
    print(as_json(findings) if arguments.json else as_text(findings, conclusions))
    return 0 if is_fit(findings) else EXIT_FAILED
