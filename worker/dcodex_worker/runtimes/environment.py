"""A program's environment: small, the same everywhere, and what its request adds."""

from __future__ import annotations

from dcodex_shared.program import Program
from dcodex_worker.template.launcher import ENVIRONMENT


def environment_of(program: Program) -> tuple[tuple[str, str], ...]:
    """Names and values; the request's win."""
    return tuple({**ENVIRONMENT, **dict(program.environment)}.items())
