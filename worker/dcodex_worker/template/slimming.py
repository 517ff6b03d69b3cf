"""Gives back what a keeper has of mapped files and has not written to, before it makes forks.

Theory of operation
-------------------
A fork copies an entry of a page table for each page that is there, and its end gives every one
back. Of files sixteen pages are mapped for each that is touched, so that a process which has
executed some Python has most of its template's heap (heap.py), nearly none of which its programs
will touch. Whoever touches a page that was given back finds it again.

Which pages these are another process tells, while this one makes system calls only: what Python
wrote to a page after it was looked at would be lost with it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import struct

from dcodex_worker.sandbox import kernel, wireform
from dcodex_worker.sandbox.errand import (
    ENTRY_BYTES,
    WHATEVER,
    Errand,
    Number,
    pack_call,
    pack_goto,
)
from dcodex_worker.template import rehearsal

#: Stretches of pages that are given back, the longest first; a keeper has some hundred.
MOST_STRETCHES = 1024


class Slimming:
    """The list of one process, and who tells it what to give back."""

    def __init__(self, process: int, then: int) -> None:
        """process: this one's directory in /proc. then: the entry with which the list goes on.

        Forks the other process. Raises OSError.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._room = ctypes.create_string_buffer(MOST_STRETCHES * ENTRY_BYTES)
        errand = self._errand = Errand()
        onward = pack_goto(errand.pointer(struct.pack("=Q", then)))
        # What is there when nobody tells anything.
        ctypes.memmove(self._room, onward, len(onward))
        child = kernel.fork()
        if child == 0:
            try:
                ours.close()
                theirs.recv(1)
                theirs.send(_giving_back(process, MOST_STRETCHES - 1) + onward)
            finally:
                os._exit(0)
        theirs.close()
        fd, room = ours.detach(), ctypes.addressof(self._room)
        vector = errand.pointer(struct.pack("=QQ", room, len(self._room)))
        errand.step("slimming")
        errand.call(Number.WRITE, fd, b"x", 1)
        errand.call(Number.RECVMSG, fd, wireform.header(errand, vector), 0)
        errand.call(Number.WAIT4, child, 0, 0, 0, result=child)
        errand.call(Number.CLOSE, fd)
        errand.goto(errand.pointer(struct.pack("=Q", room)))
        errand.seal()
        #: Where it begins.
        self.begin = errand.begin


def _giving_back(process: int, most: int) -> bytes:
    """Calls that do, of the longest stretches at most so many."""

    def open_there(path: str, flags: int) -> int:
        return os.open(path, flags | os.O_CLOEXEC, dir_fd=process)

    stretches: list[tuple[int, int]] = []
    unwritten = rehearsal.PRESENT | rehearsal.FILE
    with open("maps", "rb", opener=open_there) as maps:
        mappings = [line.split(None, 5) for line in maps]
    with open("pagemap", "rb", buffering=0, opener=open_there) as file:
        for where, rights, _, _, inode, *_ in mappings:
            if rights[1:2] != b"w" or rights[3:4] != b"p" or inode == b"0":
                continue
            start, end = (int(address, 16) for address in where.split(b"-"))
            count = (end - start) // mmap.PAGESIZE
            file.seek(start // mmap.PAGESIZE * 8)
            entries = struct.unpack(f"={count}Q", file.read(8 * count))
            for first, length in rehearsal.runs(entries, unwritten, unwritten):
                stretches.append((length * mmap.PAGESIZE, start + first * mmap.PAGESIZE))
    stretches.sort(reverse=True)
    return b"".join(
        pack_call(Number.MADVISE, address, size, mmap.MADV_DONTNEED, result=WHATEVER)
        for size, address in stretches[:most]
    )
