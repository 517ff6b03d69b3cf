"""Becomes another program that is told to end when the process which started it dies.

Run as a file, before anything else is imported: PARENT_PID PROGRAM [argument ...]. The
kernel sends SIGTERM when the parent is gone, however it went; exec keeps that, as it keeps the
mask in which SIGTERM and SIGINT wait until the program has said what they are to do.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel, then become the program."""
    parent, program, *arguments = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    # Whoever starts a farm in the background of a script has it ignored, and it stops the gateways.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # It may have died before the kernel was asked.
    if os.getppid() != int(parent):
        sys.exit(0)
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main()
