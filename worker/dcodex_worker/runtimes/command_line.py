"""What every program is started with: its environment."""

from __future__ import annotations

import re

from dcodex_shared.program import Program
from dcodex_worker.template.launcher import ENVIRONMENT

#: A search for leaks traces its own program when that ends, which nobody may in a sandbox: it
#: would fail every program that was compiled so.
_SEARCHES_LEAKS = re.compile(r"-fsanitize=(?:.*,)?(?:address|leak)(?:,.*)?")
_NO_SEARCH = {"ASAN_OPTIONS": "detect_leaks=0", "LSAN_OPTIONS": "detect_leaks=0"}


def environment_of(program: Program) -> tuple[tuple[str, str], ...]:
    """Names and values: the sandbox's own few, and the request's, which win."""
    searches = any(map(_SEARCHES_LEAKS.fullmatch, program.compile_args))
    own = {**ENVIRONMENT, **_NO_SEARCH} if searches else ENVIRONMENT
    return tuple({**own, **dict(program.environment)}.items())
