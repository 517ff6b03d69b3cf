"""Starts this machine's worker host: `python -m dcodex_worker`, `dcodex worker`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from dcodex_shared import stopping


def main(argv: Sequence[str] | None = None) -> int:
    """Be one until told to end; the status is process.py's."""
    stopping.end_at_once()
    # Only now: it imports all the rest, which is most of a start.
    from dcodex_worker import process

    status = process.main(sys.argv[1:] if argv is None else argv)
    stopping.disregard()
    return status


if __name__ == "__main__":
    sys.exit(main())
