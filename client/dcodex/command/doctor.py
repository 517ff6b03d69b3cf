"""`dcodex doctor`: this machine's fitness, or with `--live` a running farm's."""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Examine what the flags say."""
    # Each needs packages that the other does not.
    if "--live" in argv:
        from dcodex.doctor import live

        return live.main([argument for argument in argv if argument != "--live"])
    from dcodex_worker import doctor

    return doctor.main(argv)
