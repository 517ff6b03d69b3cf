"""What workers tell their host for its metrics: fixed records through one non-blocking pipe.

A worker serves no port of its own: dozens of them would cost more than they tell. A write of
at most PIPE_BUF bytes is atomic, so all workers share one pipe; when it is full a report is
dropped and the next one carries how many were. What is in the pipe outlives its worker, so it is
the host that puts off looking at it: being woken for each report would cost far more than
counting it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

#: The longest language name that a record holds; languages.py has far shorter ones.
NAME_BYTES = 16
_RECORD = struct.Struct("<BB16sdQBI")
#: Records taken in per turn of the host's loop.
RECORDS_PER_READ = 256
#: How long the host leaves further reports waiting, in seconds: little to a scrape every few.
PAUSE_S = 0.25
#: What the pipe may hold: in one pause, the reports of the busiest machine there is. The most that
#: may be had without privilege.
PIPE_BYTES = 1024 * 1024

#: What its field in a record holds.
_DROPPED_MOST = 2**32 - 1
_NEVER = float("inf")


class Kind(IntEnum):
    """What a record tells of."""

    ARMED = 1
    ARMING_FAILED = 2
    FINISHED = 3


class CompileCache(IntEnum):
    """How the compile cache answered."""

    UNUSED = 0
    MISS = 1
    HIT = 2


@dataclass(frozen=True, slots=True)
class Report:
    """One event of one worker."""

    kind: Kind
    language: str
    #: What it took: the arming, or the run's wall time.
    seconds: float
    #: messages.Verdict; FINISHED only.
    verdict: int = 0
    #: Output bytes passed on; FINISHED only.
    output_bytes: int = 0
    compile_cache: CompileCache = CompileCache.UNUSED
    #: Reports that the same worker could not get rid of before this one.
    dropped: int = 0


def unpack(data: bytes) -> Iterator[Report]:
    """The reports of whole records."""
    for kind, verdict, name, seconds, count, cache, dropped in _RECORD.iter_unpack(data):
        language = name.rstrip(b"\0").decode()
        yield Report(Kind(kind), language, seconds, verdict, count, CompileCache(cache), dropped)


class Reporter:
    """The worker's end."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._dropped = 0

    def send(
        self,
        kind: Kind,
        language: str,
        seconds: float,
        verdict: int = 0,
        output_bytes: int = 0,
        compile_cache: CompileCache = CompileCache.UNUSED,
    ) -> None:
        """Tell the fields of a Report, or count what could not be told."""
        record = _RECORD.pack(
            kind,
            verdict,
            language.encode()[:NAME_BYTES],
            seconds,
            output_bytes,
            compile_cache,
            min(self._dropped, _DROPPED_MOST),
        )
        try:
            os.write(self._fd, record)
        except (BlockingIOError, BrokenPipeError):
            self._dropped += 1
            return
        self._dropped = 0


class Inbox:
    """The host's end."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        #: When to look next; _NEVER: as soon as there is something.
        self._due = _NEVER

    def awaited(self) -> bool:
        """Whether to be woken up by what arrives."""
        return self._due == _NEVER

    def next_deadline(self) -> float:
        """When to look though nobody was woken up."""
        return self._due

    def take(self, now: float) -> Iterator[Report]:
        """What has arrived, in whole records since all writes are."""
        try:
            data = os.read(self.fd, _RECORD.size * RECORDS_PER_READ)
        except BlockingIOError:
            self._due = _NEVER
            return
        full = len(data) == _RECORD.size * RECORDS_PER_READ
        self._due = now if full else now + PAUSE_S
        yield from unpack(data)


def open_pipe() -> tuple[int, int]:
    """The host's end and the workers'."""
    ends = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    with contextlib.suppress(OSError):  # more than this machine allows a user
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return ends
