"""How many descriptors a process may have: as many as it is allowed."""

from __future__ import annotations

import contextlib
import resource


def raise_limit() -> None:
    """Take all that the hard limit leaves: the soft one is for programs that use select(2)."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # More than the kernel has for anyone is refused, and the soft limit then has to do.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
