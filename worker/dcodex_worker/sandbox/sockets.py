"""A bound on a sandbox's sockets: the kernel's memory behind them counts to no group.

Messages that wait in a netlink socket, copies in an error queue, and the first packet of every
TCP connection are charged to nobody, on either version of control groups; each socket holds as
much as its receive buffer allows. So the keeper is asked (questions.py) before a socket of these
families is made, and before a receive buffer is changed. The keeper lives in the sandbox's
network namespace and counts what is alive there at that moment.
"""

from __future__ import annotations

import errno
import os

#: Sockets alive in one sandbox, local ones and connections that nobody has accepted included.
#: Twice what one process may have open unless it asks for more; 100 MB with usual buffers.
MOST_SOCKETS = 512
#: Who has more than this many alive keeps the usual receive buffers. Few sockets may have the
#: largest that the machine allows (net.core.rmem_max), which since Linux 6.17 is 8 MB.
MOST_LARGE = 16

#: Says how many sockets there are in the network namespace of a process.
_FIGURES = "net/sockstat"
_FIGURES_BYTES = 512


def decide_socket(alive: int) -> int | None:
    """The errno that socket(2) and socketpair(2) are answered with; None: the kernel shall do it.

    alive: sockets that there are.
    """
    return None if alive < MOST_SOCKETS else errno.ENFILE


def decide_buffer(alive: int) -> int | None:
    """The same for a change of a receive buffer; 0: as if it was done, which is advice anyway."""
    return None if alive <= MOST_LARGE else 0


def count(process: int) -> int:
    """Sockets in the network namespace of a process; as many as are allowed where unknown.

    process: its directory in /proc.
    """
    try:
        fd = os.open(_FIGURES, os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
        try:
            text = os.read(fd, _FIGURES_BYTES)
        finally:
            os.close(fd)
        return int(text.split(None, 3)[2])  # "sockets: used 4"
    except (OSError, IndexError, ValueError):
        return MOST_SOCKETS
