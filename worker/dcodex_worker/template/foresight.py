"""Provides what the first use of a large module writes, when a program imports it.

Theory of operation
-------------------
A rehearsal tells what nearly every program touches, which is then provided ahead. What a module
touches that only some programs import is too much to have ready for all: it is provided at the
import, by a list of system calls, for two fifths of what as many page faults take. Which pages
these are a process finds out by using the module, once, as a fork of the template.
"""

from __future__ import annotations

import contextlib
import os

from dcodex_worker.sandbox import kernel
from dcodex_worker.sandbox.errand import WHATEVER, Errand, Failed, Number
from dcodex_worker.template import rehearsal


class Foresight:
    """Of one module; for forks of the process that made it."""

    def __init__(self, name: str, tasks: int) -> None:
        """Forks a process that uses the module, and waits for its end. Raises OSError.

        tasks: a descriptor of this process's directory of threads in /proc, which is not mounted
        where a template is.
        """
        use = compile(rehearsal.use_of(name), name, "exec")
        ranges = rehearsal.mapped("../maps", tasks)
        reader, writer = os.pipe()
        child = kernel.fork()
        if child == 0:
            try:
                exec(use, {})
                pagemap = f"../../{os.getpid()}/pagemap"
                os.write(writer, rehearsal.touched(ranges, pagemap, tasks))
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as file:
            said = file.read()
        # A template has the kernel reap its children.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
        errand = self._errand = Errand()
        errand.step("pages")
        for address, pages, writable in rehearsal.unpack(said):
            if writable:
                size = pages * rehearsal.PAGE_BYTES
                advice = kernel.MADV_POPULATE_WRITE
                errand.call(Number.MADVISE, address, size, advice, result=WHATEVER)
        errand.seal()

    def provide(self) -> None:
        """In a program's process: it only saves time."""
        with contextlib.suppress(Failed):
            self._errand.run()
