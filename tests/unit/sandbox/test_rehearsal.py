"""Which pages count as touched."""

from __future__ import annotations

import ctypes
import mmap

from dcodex_worker.template import rehearsal

PRESENT, FILE, EXCLUSIVE = 1 << 63, 1 << 61, 1 << 56


def test_written_pages_are_those_that_are_this_processes_alone() -> None:
    entries = (
        PRESENT | EXCLUSIVE,
        PRESENT | EXCLUSIVE,
        PRESENT,  # still shared with the template
        PRESENT | EXCLUSIVE | FILE,  # of a file, never written
        0,
        PRESENT | EXCLUSIVE,
    )
    assert list(rehearsal.runs(entries, *rehearsal.COUNTING[True])) == [(0, 2), (5, 1)]


def test_read_pages_are_those_that_are_mapped() -> None:
    entries = (0, PRESENT | FILE, PRESENT | FILE | EXCLUSIVE, 0)
    assert list(rehearsal.runs(entries, *rehearsal.COUNTING[False])) == [(1, 2)]


def test_no_more_written_pages_are_provided_than_an_idle_sandbox_may_have() -> None:
    many = 2 * rehearsal.MAX_WRITTEN_PAGES
    memory = mmap.mmap(-1, many * rehearsal.PAGE_BYTES, flags=mmap.MAP_PRIVATE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    # Every other page, since one long stretch would be left out as a whole.
    for page in range(0, many, 2):
        memory[page * rehearsal.PAGE_BYTES] = 1
    end = start + many * rehearsal.PAGE_BYTES
    one, both = ((start, end, True),), ((start, end, True), (start, end, True))
    for ranges in (one, both):
        stretches = rehearsal.unpack(rehearsal.touched(list(ranges)))
        assert sum(pages for _, pages, _ in stretches) == rehearsal.MAX_WRITTEN_PAGES


def test_a_torn_message_gives_the_whole_stretches_in_it() -> None:
    packed = rehearsal._STRETCH.pack(4096, 2, True) + rehearsal._STRETCH.pack(1 << 40, 1, False)
    assert rehearsal.unpack(packed) == ((4096, 2, True), (1 << 40, 1, False))
    assert rehearsal.unpack(packed[:-1]) == ((4096, 2, True),)
    assert rehearsal.unpack(b"") == ()
