"""The guarantees that an operator may do without, each by name, and what is then given up.

Everything else that isolates a program is needed: without it a worker host does not start.
"""

from __future__ import annotations

#: Name to what a host without it does not promise. Nothing here lets a program out of its
#: sandbox by itself: each is a second lock, or is about what neighbours notice of each other.
DISPENSABLE: dict[str, str] = {
    "landlock": "the second lock on files, signals and abstract sockets; the first ones stay",
    "overlayfs": "that locks on and watches of the runtime's files are a program's own affair: "
    "neighbours see and disturb each other's",
    "keyring": "the second lock on the supervisor's keys; the system calls for keys stay refused",
    "cpu-share": "that each sandbox has one share of the processors: one with many processes "
    "slows down its neighbours and the worker itself",
    "swap-limit": "that memory limits count what is swapped out",
    "tcp-memory": "that memory limits count what waits in TCP sockets",
    "seccomp-listener": "the bound on sockets, whose memory the kernel counts for nobody, and that "
    "the limit on core dumps reads as 0",
}


def parse_names(text: str) -> tuple[str, ...]:
    """Names from a comma-separated list; raises ValueError naming those that there are."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in names:
        if name not in DISPENSABLE:
            raise ValueError(
                f"expected guarantees that can be done without ({', '.join(DISPENSABLE)}), "
                f"got {name!r}"
            )
    return names
