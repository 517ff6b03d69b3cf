"""Takes what a program has left in its sandbox: a compiler's output.

The worker opens it by way of the keeper, which is in the sandbox's mount namespace. The program
has ended, but what it has started may still live and change what is there.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat

from dcodex_worker.sandbox import kernel, mounts

#: The largest file that is taken: a linked program.
MAX_BYTES = 256 << 20
#: A larger one is not copied.
MAX_COPIED_BYTES = 4 << 20
#: Seals of a copy.
_FINAL = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
#: What the worker lacks; everything else that goes wrong is of the program's making.
_OURS = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM))


def open_product(process: int, path: str) -> int:
    """A read-only descriptor of a regular file that the program left, or -1.

    process: the keeper's directory in /proc. path: below the work directory. No link is followed,
    and no FIFO or device is opened for reading. Raises OSError where that is not the program's.
    """
    flags = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        directory = os.open(f"root{mounts.WORK_DIRECTORY}", flags, dir_fd=process)
    except OSError as error:
        return _nothing(error)
    try:
        probe = kernel.open_beneath(directory, path, os.O_PATH)
        try:
            regular = stat.S_ISREG(os.fstat(probe).st_mode)
        finally:
            os.close(probe)
        if not regular:
            return -1
        product = kernel.open_beneath(directory, path, os.O_RDONLY | os.O_NONBLOCK)
        found = os.fstat(product)
        if stat.S_ISREG(found.st_mode) and 0 < found.st_size <= MAX_BYTES:
            return product
        os.close(product)
        return -1
    except OSError as error:
        return _nothing(error)
    finally:
        os.close(directory)


def _nothing(error: OSError) -> int:
    if error.errno in _OURS:
        raise error
    return -1


def is_large(product: int) -> bool:
    """Whether it is not copied: nothing changes it once all are gone."""
    return os.fstat(product).st_size > MAX_COPIED_BYTES


def copied(product: int) -> int:
    """A sealed copy of what is not large, which nobody changes, or -1; closes the descriptor.

    Taking the compiler's memory down would take longer than this. Raises OSError where it cannot
    be had for want of descriptors or memory.
    """
    copy, size = -1, 0
    try:
        copy = os.memfd_create("product", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        while count := os.sendfile(copy, product, size, MAX_COPIED_BYTES - size):
            size += count
        os.lseek(copy, 0, os.SEEK_SET)
        fcntl.fcntl(copy, fcntl.F_ADD_SEALS, _FINAL)
    except OSError as error:
        if error.errno in _OURS:
            if copy >= 0:
                os.close(copy)
            raise
        size = 0
    finally:
        os.close(product)
    if not size and copy >= 0:
        os.close(copy)
        copy = -1
    return copy
