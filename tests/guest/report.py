"""What the checks came to: a line for each, and whether all passed."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager


class Report:
    """Prints PASS or FAIL for each check as it ends."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    @contextmanager
    def check(self, sentence: str) -> Iterator[None]:
        """One check; it fails by raising, and the others go on."""
        start = time.monotonic()
        try:
            yield
        except Exception as error:
            self.failed += 1
            reason = str(error).strip() or repr(error)
            print(f"FAIL  {sentence}: {type(error).__name__}: {reason}", flush=True)
            traceback.print_exc(file=sys.stderr)
        else:
            self.passed += 1
            print(f"PASS  {sentence}  ({time.monotonic() - start:.1f} s)", flush=True)


def expect(condition: bool, *seen: object) -> None:
    """Fail the check with what was seen instead."""
    if not condition:
        raise AssertionError("saw " + ", ".join(map(repr, seen)))
