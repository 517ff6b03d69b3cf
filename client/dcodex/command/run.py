"""`dcodex run`: a program far away that behaves as one started here.

Theory of operation
-------------------
The main thread iterates the execution's events and writes output as it comes; a local reader
that is slow makes the program's own writes wait, through gRPC's flow control. A second thread
reads local stdin and sends it. Stdin that is a short regular file or empty goes with the
request instead, so that a cached result may answer. Ctrl-C, SIGTERM and a closed local
stdout all cancel the remote program.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType
from typing import BinaryIO

import dcodex
from dcodex.command import program
from dcodex.command.connection import (
    ServiceError,
    complain,
    new_parser,
    open_client,
    plain_errors,
)
from dcodex.command.outcome import (
    EXIT_INTERRUPTED,
    EXIT_SERVICE,
    as_json,
    draw_trace,
    exit_status,
    reason,
    statistics,
)
from dcodex.replies import collect
from dcodex.requests import CHUNK_BYTES

EXIT_USAGE = 2
#: Stdin up to this size goes with the request; more is streamed.
WHOLE_STDIN_BYTES = 1 << 20

_EXAMPLES = """\
  dcodex run hello.py
  dcodex run --cpu 2s --memory 256MB solve.cpp < input.txt
  dcodex run --file util.py --env MODE=fast main.py first second
  echo 'print(6 * 7)' | dcodex run --language python -
  dcodex run --json --no-cache hello.c | jq .usage

exit status:
  the program's own; 128 + N when signal N ended it; 137 when it ran into a limit;
  1 when it does not compile; 130 when it was cancelled (Ctrl-C);
  125 when the service, not the program, failed; 2 for a wrong command line
"""


class _Terminated(BaseException):
    """SIGTERM came."""


def main(argv: Sequence[str]) -> int:
    """Run one program; returns the exit status for the shell."""
    parser = new_parser("run", "Run a program with live output and input.", _EXAMPLES)
    parser.add_argument("program", metavar="FILE", help="the program; - reads it from stdin")
    parser.add_argument("args", nargs="...", metavar="ARG", help="its arguments")
    program.add_flags(parser)
    group = parser.add_argument_group("here")
    group.add_argument("--stdin", metavar="FILE", help="read its stdin from FILE")
    group.add_argument("--json", action="store_true", help="print one JSON object at its end")
    group.add_argument(
        "--stats", action="store_true", help="a line of figures on stderr at its end"
    )
    group.add_argument("--trace", action="store_true", help="where its time went, on stderr")
    arguments = parser.parse_args(argv)
    try:
        options = program.read_options(arguments, os.environ)
        stdin = _open_stdin(arguments.stdin, arguments.program)
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}")
        return EXIT_USAGE
    except ValueError as error:
        complain(str(error))
        return EXIT_USAGE
    whole = _whole_stdin(stdin)
    if whole is not None:
        options["stdin"] = whole
    signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        with open_client(arguments) as client, plain_errors(arguments.target):
            sent_s = time.monotonic()
            execution = client.execute(
                stdin_complete=whole is not None, trace=arguments.trace, **options
            )
            with execution:
                if whole is None:
                    threading.Thread(
                        target=_send_stdin, args=(stdin, execution), daemon=True
                    ).start()
                status = _follow(execution, arguments.json, arguments.stats)
                if arguments.trace:
                    ended = dcodex.Stamp("client.ended", time.monotonic())
                    sent = dcodex.Stamp("client.sent", sent_s)
                    _write(sys.stderr.buffer, draw_trace((sent, *execution.trace(), ended)))
                return status
    except ServiceError as error:
        complain(str(error))
        return EXIT_SERVICE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except _Terminated:
        return 128 + signal.SIGTERM
    except BrokenPipeError:
        raise
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}")
        return EXIT_USAGE


def _follow(execution: dcodex.Execution, as_object: bool, stats: bool) -> int:
    """Show what the program writes until it ends."""
    if as_object:
        result = collect(execution, "")
        if result is None:
            raise dcodex.ServiceFailed("the stream ended without a verdict")
        print(json.dumps(as_json(result)))
        return exit_status(result)
    for event in execution:
        match event:
            case dcodex.Stdout(data):
                _write(sys.stdout.buffer, data)
            case dcodex.Stderr(data) | dcodex.CompilerOutput(data):
                _write(sys.stderr.buffer, data)
            case dcodex.Finished():
                pass
            case _:
                pass
    finished = execution.finished
    if finished is None:
        raise dcodex.ServiceFailed("the stream ended without a verdict")
    if line := reason(finished):
        complain(line)
    if stats:
        complain(statistics(finished))
    return exit_status(finished)


def _write(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()


def _open_stdin(path: str | None, source: str) -> int:
    """The descriptor that holds the program's stdin."""
    if path is not None:
        return os.open(path, os.O_RDONLY)
    if source == "-":
        # The program itself came from there.
        return os.open(os.devnull, os.O_RDONLY)
    try:
        os.fstat(0)
    except OSError:
        return os.open(os.devnull, os.O_RDONLY)
    return 0


def _whole_stdin(stdin: int) -> bytes | None:
    """All of stdin where that cannot block and is short; else None."""
    status = os.fstat(stdin)
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == os.makedev(1, 3):
        return b""
    if not stat.S_ISREG(status.st_mode) or status.st_size > WHOLE_STDIN_BYTES:
        return None
    pieces = []
    while piece := os.read(stdin, CHUNK_BYTES):
        pieces.append(piece)
    return b"".join(pieces)


def _send_stdin(stdin: int, execution: dcodex.Execution) -> None:
    while True:
        try:
            data = os.read(stdin, CHUNK_BYTES)
        except OSError:
            data = b""  # a terminal that has gone
        if not data:
            execution.close_stdin()
            return
        if not execution.send_stdin(data):
            return


def _raise_terminated(number: int, frame: FrameType | None) -> None:
    raise _Terminated
