"""A process that gives back what it has not written to."""

from __future__ import annotations

import ctypes
import mmap
import os
import struct

import pytest
from tests.unit.sandbox.alone import alone

from dcodex_worker.sandbox.errand import END, make
from dcodex_worker.template import rehearsal
from dcodex_worker.template.slimming import Slimming

_PAGES = 400
_STRIDE = 4


@alone
def test_what_was_not_written_to_is_given_back_and_found_again() -> None:
    file = os.memfd_create("heap")
    os.write(file, bytes([1]) * (_PAGES * mmap.PAGESIZE))
    memory = mmap.mmap(file, 0, flags=mmap.MAP_PRIVATE)
    pages = range(0, _PAGES * mmap.PAGESIZE, mmap.PAGESIZE)
    for page in pages[::_STRIDE]:
        memory[page] = 2
    assert sum(memory[page] for page in pages) == _PAGES + _PAGES // _STRIDE
    begin = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    assert _read_only(begin) == _PAGES - _PAGES // _STRIDE
    end_of_list = ctypes.create_string_buffer(END)
    slimming = Slimming(_itself(), ctypes.addressof(end_of_list))
    # After the other process was made, and before the list.
    memory[pages[1]] = 3
    assert make(slimming.begin) is None
    assert _read_only(begin) == 0
    assert memory[pages[1]] == 3
    assert sum(memory[page] for page in pages) == _PAGES + _PAGES // _STRIDE + 2
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, 0)


@alone
def test_a_process_that_nobody_tells_what_to_give_back_goes_on() -> None:
    nothing = os.open("/", os.O_PATH | os.O_DIRECTORY)
    end_of_list = ctypes.create_string_buffer(END)
    slimming = Slimming(nothing, ctypes.addressof(end_of_list))
    assert make(slimming.begin) is None


def _itself() -> int:
    return os.open(f"/proc/{os.getpid()}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)


def _read_only(start: int) -> int:
    """Pages of the file that this process has and has not written to."""
    with open("/proc/self/pagemap", "rb", buffering=0) as file:
        file.seek(start // mmap.PAGESIZE * 8)
        entries = struct.unpack(f"={_PAGES}Q", file.read(8 * _PAGES))
    wanted = rehearsal.PRESENT | rehearsal.FILE
    return sum(entry & wanted == wanted for entry in entries)
