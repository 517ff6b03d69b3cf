"""Learns which pages a small program touches, so that arming can touch them beforehand.

Theory of operation
-------------------
A fork shares its template's pages until it writes to them; each first write costs microseconds,
hundreds of them in the shortest program. A keeper's first sandbox therefore runs a program of
our own to its end, which then says which of the pages it had from the start are its alone by
now (written) and which pages of files it has mapped (read). For every later sandbox the keeper
has the kernel provide these while it is armed, when nobody waits. Where the guess is wrong
nothing happens but a page too many or too few.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence

#: The program: what nearly every program does.
SOURCE = b"""\
def main():
    values = [str(value) for value in range(10)]
    print(" ".join(values))


main()
"""

#: What programs do that import a module ahead of others: nearly the first page of its manual.
USES = {
    "numpy": "numpy.arange(10).sum()",
    "pandas": "pandas.DataFrame({'k': ['a', 'b'], 'v': [1, 2]}).groupby('k')['v'].sum().tolist()",
}

PAGE_BYTES = 4096
#: More than this many stretches of pages is not a small program any more.
MAX_STRETCHES = 2048
#: Every idle sandbox has written pages for itself: 4 MiB, of which a small program needs three.
MAX_WRITTEN_PAGES = 1024

#: Of a page's entry in /proc/PID/pagemap.
PRESENT = 1 << 63
#: A page of a file, which nobody has written to in this mapping.
FILE = 1 << 61
#: Mapped by this process alone (Linux 4.2).
_EXCLUSIVE = 1 << 56
#: A mask of such entries, and what those of touched pages are behind it, by whether the mapping is
#: writable.
COUNTING = {
    True: (PRESENT | FILE | _EXCLUSIVE, PRESENT | _EXCLUSIVE),
    False: (PRESENT, PRESENT),
}

_STRETCH = struct.Struct("<QQB")

Stretch = tuple[int, int, bool]


def use_of(name: str) -> str:
    """A use of a module."""
    return f"import {name}\n{USES.get(name, '')}\n"


def source(modules: Sequence[str]) -> bytes:
    """The program for a template that has these modules; who runs there uses the first."""
    return "".join(map(use_of, modules[:1])).encode() + SOURCE


def mapped(maps: str = "/proc/self/maps", beside: int | None = None) -> list[tuple[int, int, bool]]:
    """(start, end, writable) of this process's private mappings, in bytes.

    maps: where that file is; beside: a directory's descriptor that this is relative to.
    """
    ranges = []
    fd = os.open(maps, os.O_RDONLY | os.O_CLOEXEC, dir_fd=beside)
    try:
        text = b""
        while block := os.read(fd, 1 << 16):
            text += block
    finally:
        os.close(fd)
    for line in text.splitlines():
        where, rights, *rest = line.split(None, 5)
        name = rest[3] if len(rest) > 3 else b""
        if rights[3:4] != b"p" or name.startswith((b"[v", b"[stack")):
            continue
        start, _, end = where.partition(b"-")
        ranges.append((int(start, 16), int(end, 16), rights[1:2] == b"w"))
    return ranges


def touched(
    ranges: list[tuple[int, int, bool]],
    pagemap: str = "/proc/self/pagemap",
    beside: int | None = None,
) -> bytes:
    """The stretches of pages in these ranges that this process has written or read, packed.

    pagemap, beside: as mapped()'s.
    """
    fd = os.open(pagemap, os.O_RDONLY | os.O_CLOEXEC, dir_fd=beside)
    packed: list[bytes] = []
    written = 0
    try:
        for start, end, writable in ranges:
            count = (end - start) // PAGE_BYTES
            data = os.pread(fd, 8 * count, start // PAGE_BYTES * 8)
            entries = struct.unpack(f"<{len(data) // 8}Q", data)
            for first, length in runs(entries, *COUNTING[writable]):
                written += length * writable
                if writable and written > MAX_WRITTEN_PAGES:
                    break
                packed.append(_STRETCH.pack(start + first * PAGE_BYTES, length, writable))
    finally:
        os.close(fd)
    return b"".join(packed[:MAX_STRETCHES])


def unpack(data: bytes) -> tuple[Stretch, ...]:
    """(address, pages, whether to write) of what touched() said."""
    whole = len(data) - len(data) % _STRETCH.size
    return tuple(
        (address, pages, bool(writable))
        for address, pages, writable in _STRETCH.iter_unpack(data[:whole])
    )


def runs(entries: tuple[int, ...], mask: int, wanted: int) -> Iterator[tuple[int, int]]:
    """(first index, length) of the consecutive entries that are as wanted behind a mask."""
    first = None
    for index, entry in enumerate(entries):
        if entry & mask == wanted:
            if first is None:
                first = index
        elif first is not None:
            yield first, index - first
            first = None
    if first is not None:
        yield first, len(entries) - first
