"""`dcodex top`: the farm as it is now, redrawn as it changes."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

import dcodex
from dcodex.command.connection import complain, new_parser, open_async_client
from dcodex.command.farm_view import Rate, draw, next_rate
from dcodex.command.outcome import EXIT_SERVICE

#: Ages tick in between two snapshots.
REDRAW_S = 0.25
#: Between two tries to reach a farm that is not there.
RETRY_S = 1.0
#: How long the first snapshot may take for --once and --json.
TIMEOUT_S = 10.0

_EXAMPLES = """\
  dcodex top                    until q or Ctrl-C
  dcodex top --once             one look
  dcodex top --json | jq -c '.workers[] | [.id, .state]'    a line after every change
"""


class Watch:
    """What was seen last."""

    def __init__(self) -> None:
        self.snapshot: dcodex.FarmSnapshot | None = None
        #: When it came, in monotonic seconds.
        self.at = 0.0
        self.rate = Rate()
        #: Why there is nothing newer; empty while the stream is fine.
        self.trouble = "connecting"

    def take(self, snapshot: dcodex.FarmSnapshot, now: float) -> None:
        """A new snapshot."""
        self.snapshot, self.at, self.trouble = snapshot, now, ""
        self.rate = next_rate(self.rate, snapshot.executions_total, now)


def main(argv: Sequence[str]) -> int:
    """Watch a farm."""
    parser = new_parser("top", "Watch a farm's workers and queues.", _EXAMPLES)
    parser.add_argument("--once", action="store_true", help="one look, then end")
    parser.add_argument("--json", action="store_true", help="snapshots as lines of JSON")
    arguments = parser.parse_args(argv)
    console = Console(highlight=False)
    try:
        if arguments.json or arguments.once or not console.is_terminal:
            return asyncio.run(_print(arguments, console))
        return asyncio.run(_follow(arguments, console))
    except dcodex.DCodeXError as error:
        complain(f"cannot watch the farm at {arguments.target}: {str(error).partition(chr(10))[0]}")
        return EXIT_SERVICE
    except KeyboardInterrupt:
        return 130


async def _print(arguments: argparse.Namespace, console: Console) -> int:
    watch = Watch()
    async with open_async_client(arguments) as client:
        stream = client.farm(timeout_s=TIMEOUT_S if arguments.once else None)
        async with contextlib.aclosing(stream) as snapshots:
            async for snapshot in snapshots:
                if arguments.json:
                    print(json.dumps(dataclasses.asdict(snapshot)), flush=True)
                else:
                    watch.take(snapshot, time.monotonic())
                    lines = len(snapshot.workers) + 100
                    console.print(draw(snapshot, arguments.target, watch.rate, 0.0, lines))
                if arguments.once:
                    break
    return 0


async def _follow(arguments: argparse.Namespace, console: Console) -> int:
    """Redraw until q is typed or Ctrl-C pressed."""
    watch = Watch()
    quitting = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, quitting.set)
    feed = asyncio.create_task(_feed(arguments, watch))
    try:
        with _keys(quitting), Live(console=console, screen=True, auto_refresh=False) as live:
            while not quitting.is_set():
                live.update(_view(watch, arguments.target, console.height), refresh=True)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(REDRAW_S):
                        await quitting.wait()
    finally:
        feed.cancel()
        await asyncio.gather(feed, return_exceptions=True)
    return 0


def _view(watch: Watch, target: str, lines: int) -> RenderableType:
    if watch.snapshot is None:
        return Text(f"{target}: {watch.trouble}", style="red")
    age_s = time.monotonic() - watch.at
    if not watch.trouble:
        return draw(watch.snapshot, target, watch.rate, age_s, lines)
    trouble = Text(f"{target}: {watch.trouble} (this is {age_s:.0f} s old)", style="red")
    return Group(trouble, draw(watch.snapshot, target, watch.rate, 0.0, lines - 1))


async def _feed(arguments: argparse.Namespace, watch: Watch) -> None:
    """Keep the watch fed, through whatever happens to the farm."""
    while True:
        try:
            async with open_async_client(arguments) as client:
                async for snapshot in client.farm():
                    watch.take(snapshot, time.monotonic())
        except dcodex.DCodeXError as error:
            watch.trouble = str(error).partition("\n")[0]
        await asyncio.sleep(RETRY_S)


@contextlib.contextmanager
def _keys(quitting: asyncio.Event) -> Iterator[None]:
    """Hear q without Enter, where stdin is a terminal."""
    descriptor = sys.stdin.fileno()
    if not os.isatty(descriptor):
        yield
        return
    loop = asyncio.get_running_loop()
    before = termios.tcgetattr(descriptor)

    def read() -> None:
        if os.read(descriptor, 64) in (b"q", b"Q", b""):
            quitting.set()

    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, read)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
