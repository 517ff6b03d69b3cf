"""The heap of a template as a file in memory, which its forks map instead of copying.

Theory of operation
-------------------
A fork copies an entry for every page of anonymous memory, and its end gives every one back: ten
thousand of them where numpy and pandas are loaded, of which a small program touches some hundred.
Of a private mapping of a file the kernel copies only what was written, and finds the rest when it
is touched. So when everything is loaded, the heap is copied into a file, which is sealed, and
mapped again where it was.

That can be done to the heap that grows by brk(2), and to nothing else: larger blocks malloc(3)
maps one by one and grows with mremap(2), and beyond the end of a file there is no memory. Hence
gathered(): what is allocated there comes from that heap, the interpreter's arenas too.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
from collections.abc import Iterator

from dcodex_worker.sandbox import kernel
from dcodex_worker.sandbox.errand import Errand, Failed, Number

#: Larger blocks malloc still maps. By itself it begins with 128 KiB, and goes up to the size of
#: any such block that is freed, which imports do too.
LARGEST_BYTES = 4 << 20
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL

_libc = ctypes.CDLL(None)
_libc.malloc.restype = ctypes.c_void_p
_libc.malloc.argtypes = [ctypes.c_size_t]
_libc.free.argtypes = [ctypes.c_void_p]


class _ArenaAllocator(ctypes.Structure):
    """PyObjectArenaAllocator: alloc(context, size) and free(context, address, size)."""

    _fields_ = (
        ("context", ctypes.c_void_p),
        ("alloc", ctypes.c_void_p),
        ("free", ctypes.c_void_p),
    )


#: aligned_alloc(alignment, size) can be called as the first. As the second, one that frees nothing:
#: an arena that an import leaves empty is rare, and lost to the template alone.
_FROM_MALLOC = _ArenaAllocator(
    mmap.PAGESIZE,
    ctypes.cast(_libc.aligned_alloc, ctypes.c_void_p),
    ctypes.cast(_libc.getppid, ctypes.c_void_p),
)


@contextlib.contextmanager
def gathered() -> Iterator[None]:
    """What is allocated meanwhile, in blocks of up to LARGEST_BYTES, goes into one heap.

    An arena that becomes empty afterwards is unmapped, as ever: a hole in the heap, in the middle
    of a block that malloc knows as taken.
    """
    _libc.free(_libc.malloc(LARGEST_BYTES))
    usual = _ArenaAllocator()
    ctypes.pythonapi.PyObject_GetArenaAllocator(ctypes.byref(usual))
    ctypes.pythonapi.PyObject_SetArenaAllocator(ctypes.byref(_FROM_MALLOC))
    try:
        yield
    finally:
        ctypes.pythonapi.PyObject_SetArenaAllocator(ctypes.byref(usual))


def share(maps: int) -> None:
    """Put a sealed file under this process's heap, from which forks then take their pages.

    maps: a descriptor of /proc/PID/maps; it is closed. Nothing is changed where the machine
    refuses: it only saves time.
    """
    with open(maps, "rb") as file:
        found = [line.split()[0] for line in file if line.rstrip().endswith(b" [heap]")]
    for where in found:
        start, end = (int(address, 16) for address in where.split(b"-"))
        with contextlib.suppress(OSError, Failed):
            _exchange(start, end - start)


def _exchange(start: int, size: int) -> None:
    """Put a sealed copy in place of this memory; raises OSError or Failed, with nothing changed.

    Between the first call and the last nothing may be written there, as all Python does: hence
    a list.
    """
    copy = os.memfd_create("heap", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    errand = Errand()
    errand.step("heap")
    rights = kernel.PROT_READ | kernel.PROT_WRITE
    flags = mmap.MAP_PRIVATE | kernel.MAP_FIXED
    errand.call(Number.WRITE, copy, start, size, result=size)
    errand.call(Number.FCNTL, copy, fcntl.F_ADD_SEALS, _SEALS)
    errand.call(Number.MMAP, start, size, rights, flags, copy, 0, result=start)
    errand.seal()
    try:
        errand.run()
    finally:
        os.close(copy)
