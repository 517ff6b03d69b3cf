"""What every program is started with: its environment, and file names that are only that."""

from __future__ import annotations

from dcodex_shared.program import Program
from dcodex_worker.template.launcher import ENVIRONMENT


def environment_of(program: Program) -> tuple[tuple[str, str], ...]:
    """Names and values: the sandbox's own few, and the request's, which win."""
    return tuple({**ENVIRONMENT, **dict(program.environment)}.items())


def not_an_option(path: str) -> str:
    """A file's name as a command takes it for nothing else: no option, no file of options."""
    return f"./{path}" if path.startswith(("-", "@")) else path
