"""How much output each stream may have under way (pure).

A reader that stops leaves its whole window here, so windows are what stalled readers cost. One
stream alone gets the full one, which a fast reader needs; the more streams there are, the less
the next one gets, down to what still keeps a program writing while its output is on its way.
"""

from __future__ import annotations

from dcodex_shared.limits import KIB, MIB, OUTPUT_WINDOW_BYTES

#: What the windows of all streams together take before the next ones get the least: small enough
#: that 50 stalled readers, with what gRPC holds for each, stay within 10 MB.
SHARED_BYTES = 2 * MIB
#: A stream gets this part of what is left.
PART = 2
#: A window is never smaller: half of it is on its way while the other half is read.
LEAST_BYTES = 32 * KIB


class Windows:
    """The windows of one gateway's streams."""

    def __init__(self) -> None:
        #: Of SHARED_BYTES, what no window has taken; below 0 once most have the least.
        self._left = SHARED_BYTES

    def open(self) -> int:
        """The window of a new stream, in bytes; give it back with close()."""
        window = max(LEAST_BYTES, min(OUTPUT_WINDOW_BYTES, self._left // PART))
        self._left -= window
        return window

    def close(self, window: int) -> None:
        """A stream has ended, and nothing waits for its reader."""
        self._left += window
        assert self._left <= SHARED_BYTES
