"""The shell around a farm's processes: starts, watches, restarts and stops them.

Theory of operation
-------------------
One task a part: start it, wait for its end, ask restart.py, begin again. Every part leads a
process group of its own, so that Ctrl-C in a terminal reaches only us and the order of
stopping is ours; the kernel tells it to end should we die (child.py). Only the main thread
starts processes, since the kernel's word about our death is really about that thread's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from dcodex.up.plan import Part
from dcodex.up.restart import Again, GiveUp, History, after_death
from dcodex_shared import stopping

_CHILD = str(Path(__file__).with_name("child.py"))

#: Beyond a part's own grace for what runs: to let go of sandboxes and sockets.
STOP_MARGIN_S = 15.0
#: What a part gets once the person at the terminal asked a second time.
HURRIED_S = 10.0


class Supervisor:
    """Keeps the parts of one farm running until told to stop."""

    def __init__(
        self, parts: Sequence[Part], grace_s: float, lock: int, say: Callable[[str], None]
    ) -> None:
        self._parts = tuple(parts)
        self._grace_s = grace_s
        self._lock = lock
        self._say = say
        #: Parts that run now, by name.
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._watchers: list[asyncio.Task[None]] = []
        #: Held while a part is started: it then counts as running, or is not there at all.
        self._starting = asyncio.Lock()
        #: Set when the farm must end; with `status`.
        self._ending = asyncio.Event()
        #: Set when stopping must not wait any longer.
        self._hurry = asyncio.Event()
        self.status = 0
        #: Whether the farm ever was ready: told by the owner.
        self.ready = False

    def start(self) -> None:
        """Start every part and watch it."""
        self._watchers = [asyncio.create_task(self._keep(part)) for part in self._parts]

    def request_stop(self) -> None:
        """Begin to end, in order; asked again, at once."""
        if self._ending.is_set():
            self._hurry.set()
        self._ending.set()

    async def ended(self) -> None:
        """Wait until the farm must end: it was asked to, or a part is hopeless."""
        await self._ending.wait()

    async def stop(self) -> int:
        """End every part, in turns; returns the status for the shell."""
        self._ending.set()
        turns = sorted(self._parts, key=lambda part: part.stop_turn)
        for _, group in groupby(turns, key=lambda part: part.stop_turn):
            await asyncio.gather(*(self._end(part.name, part.stop_signal) for part in group))
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        return self.status

    async def _keep(self, part: Part) -> None:
        history = History()
        while True:
            async with self._starting:
                if self._ending.is_set():
                    return
                started = time.monotonic()
                process = self._running[part.name] = await self._spawn(part)
            status = await process.wait()
            del self._running[part.name]
            if self._ending.is_set():
                return
            match after_death(history, time.monotonic() - started, status, self.ready):
                case GiveUp(code):
                    self._say(f"the {part.name} {_how(status)}: giving up")
                    self.status = code
                    self._ending.set()
                case Again(delay_s, history):
                    self._say(f"the {part.name} {_how(status)}: starting it again")
                    await _wait(self._ending, delay_s)

    async def _spawn(self, part: Part) -> asyncio.subprocess.Process:
        # Its own, too, wait until it is ready for them: what it inherits is this mask.
        stopping.hold()
        try:
            return await asyncio.create_subprocess_exec(
                # -I -S: child.py needs the standard library alone, so it is quick.
                *(sys.executable, "-I", "-S", _CHILD, str(os.getpid())),
                # -P: the current folder is not a place to import from.
                *(sys.executable, "-P", "-m", part.module, *part.arguments),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(self._lock,),
                process_group=0,
            )
        finally:
            stopping.release()

    async def _end(self, name: str, number: signal.Signals) -> None:
        async with self._starting:
            process = self._running.get(name)
        if process is None:
            return
        ended = asyncio.create_task(process.wait())
        hurry = asyncio.create_task(self._hurry.wait())
        _signal(process, number)
        await asyncio.wait(
            (ended, hurry),
            timeout=self._grace_s + STOP_MARGIN_S,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not ended.done() and self._hurry.is_set():
            _signal(process, number)
            await asyncio.wait((ended,), timeout=HURRIED_S)
        if not ended.done():
            self._say(f"the {name} (pid {process.pid}) did not end: killing it")
            self.status = self.status or 1
            _signal(process, signal.SIGKILL)
        hurry.cancel()
        status = await ended
        if status not in (0, -signal.SIGKILL):
            self._say(f"the {name} {_how(status)} while stopping")
            self.status = self.status or 1


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it may end in this moment
        process.send_signal(number)


def _how(status: int) -> str:
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        pass
