"""How much output each stream may have under way (pure).

A reader that stops leaves its whole window here, so windows are what stalled readers cost. One
stream alone begins with the full one; the more streams there are, the less the next one begins
with, down to what still keeps a program writing while its output is on its way. Windows of those
who read a lot are widened, from what is kept for that: who stalls from the start gets none of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcodex_shared.limits import KIB, MIB, OUTPUT_WINDOW_BYTES, WIDEST_WINDOW_BYTES

#: What the windows of all streams together begin with before the next ones get the least: small
#: enough that 50 stalled readers, with what gRPC holds for each, stay within 10 MB.
SHARED_BYTES = 2 * MIB
#: What all windows together are widened by: readers that were fast and then stopped cost no more.
WIDENED_BYTES = 8 * MIB
#: A stream gets this part of what is left.
PART = 2
#: A window is never smaller: half of it is on its way while the other half is read.
LEAST_BYTES = 32 * KIB


@dataclass(slots=True)
class Window:
    """One stream's, in bytes."""

    #: What it began with.
    first: int
    size: int


class Windows:
    """The windows of one gateway's streams."""

    def __init__(self) -> None:
        #: Of SHARED_BYTES, what no window has taken; below 0 once most have the least.
        self._left = SHARED_BYTES
        #: Of WIDENED_BYTES, likewise.
        self._wide_left = WIDENED_BYTES

    def open(self) -> Window:
        """The window of a new stream; give it back with close()."""
        size = max(LEAST_BYTES, min(OUTPUT_WINDOW_BYTES, self._left // PART))
        self._left -= size
        return Window(size, size)

    def widen(self, window: Window) -> int:
        """Widen the window of one who reads, to twice its size at most; by how many bytes."""
        more = min(window.size, WIDEST_WINDOW_BYTES - window.size, self._wide_left // PART)
        if more < LEAST_BYTES:
            return 0
        self._wide_left -= more
        window.size += more
        return more

    def close(self, window: Window) -> None:
        """A stream has ended, and nothing waits for its reader."""
        self._left += window.first
        self._wide_left += window.size - window.first
        assert self._left <= SHARED_BYTES
        assert self._wide_left <= WIDENED_BYTES
