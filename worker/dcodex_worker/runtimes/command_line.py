"""What every program is started with: its environment."""

from __future__ import annotations

from dcodex_shared.program import Program
from dcodex_worker.template.launcher import ENVIRONMENT


def environment_of(program: Program) -> tuple[tuple[str, str], ...]:
    """Names and values: the sandbox's own few, and the request's, which win."""
    return tuple({**ENVIRONMENT, **dict(program.environment)}.items())
