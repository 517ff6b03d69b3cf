"""Imports a module as a template does; of what a template consists of this needs the least."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable

from dcodex_worker.template import rehearsal

#: How often a module is used beforehand: until the interpreter has specialized what it executes,
#: which writes to the code itself.
_USES = 50


def load(name: str, complain: Callable[[str], None]) -> bool:
    """Import a module as a template does, and have it do what its first use would do.

    Returns whether it is there.
    """
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0]:
            complain(f"not preloaded: {name}: {error}")
    except Exception as error:  # a package may do anything when it is imported
        complain(f"not preloaded: {name}: {error}")
    if name not in sys.modules:
        return False
    _use(name, complain)
    return True


def _use(name: str, complain: Callable[[str], None]) -> None:
    """Have what the first use of a module makes made once, here."""
    if name in rehearsal.USES:
        try:
            use = compile(rehearsal.use_of(name), name, "exec")
            for _ in range(_USES):
                exec(use, {})
        except Exception as error:
            complain(f"not used beforehand: {name}: {error!r}")
