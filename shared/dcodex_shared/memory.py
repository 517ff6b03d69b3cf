"""How a process treats memory that it has freed: kept, because it is about to be needed again.

glibc gives the top of the heap back to the kernel as soon as 128 KiB of it are free, and takes
larger pieces from the kernel one by one. A process that passes chunks of 64 KiB on does both
all the time, and every fresh page is a fault: reading a megabyte and copying it cost 20 times
as much as with these settings.
"""

from __future__ import annotations

import contextlib
import ctypes

#: What a process may keep of freed memory, in bytes: the chunks of some streams at a time.
KEPT_BYTES = 4 * 1024 * 1024

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3


def keep_freed_memory(kept_bytes: int = KEPT_BYTES) -> None:
    """Once, at a process's start; its forks inherit it. Nothing happens without glibc."""
    with contextlib.suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_TRIM_THRESHOLD, kept_bytes)
        mallopt(_M_MMAP_THRESHOLD, kept_bytes)
