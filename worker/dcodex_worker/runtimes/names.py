"""Names of a program's files as commands take them."""

from __future__ import annotations


def not_an_option(path: str) -> str:
    """A file's name as a command takes it for nothing else: no option, no file of options."""
    return f"./{path}" if path.startswith(("-", "@")) else path
