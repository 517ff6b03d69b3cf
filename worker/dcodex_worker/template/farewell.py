"""A short end for a warm program: what a template imported is not taken apart again.

Theory of operation
-------------------
At its end an interpreter clears every module, which in a fork of a template writes into
thousands of pages that it shares with the template, to free memory that the kernel frees a
moment later. A function registered before any of the program's own `atexit` functions, hence
called after all of them, takes the preloaded modules out of sys.modules (nothing that a program
could still see: its own modules are taken apart as ever, so that its destructors run), and
leaves a last object in `builtins`, whose destructor, called when the interpreter has cleared
everything but itself, ends the process with the exit status it would have had.

That status is known from here in the two usual cases: main.py ended (the interpreter has then
deleted __main__.__file__), with an exception that it printed (sys.last_type) or without. In all
others (SystemExit, other threads still alive, ...) the interpreter ends as it always does,
only without the preloaded modules.
"""

from __future__ import annotations

import atexit
import builtins
import ctypes
import os
import sys
from typing import Any

#: Printing and importing still work in a program's destructors with these.
_KEPT = ("__main__", "builtins", "sys")


def prepare(hidden: tuple[str, ...]) -> None:
    """Register the short end for all processes forked from here on.

    hidden: names of modules that a program's process will take out of sys.modules.
    """
    preloaded = [name for name in sys.modules if name not in _KEPT and name not in hidden]
    status = [0]
    # Taking a module apart writes into as many pages as using it: none of these ever is.
    kept: list[Any] = [sys.modules[name] for name in hidden]
    threads, exit_now = sys._current_frames, os._exit

    destructor_type = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)

    def end(_: int) -> None:
        exit_now(status[0])

    destructor = destructor_type(end)
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype = ctypes.py_object
    new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, destructor_type]
    increment = ctypes.pythonapi.Py_IncRef
    increment.argtypes = [ctypes.py_object]
    increment.restype = None
    # One reference more than there is: these are never taken apart, whatever is cleared.
    for thing in (kept, status, end, destructor, destructor_type):
        increment(thing)

    def shorten() -> None:
        for name in preloaded:
            module = sys.modules.pop(name, None)
            if module is not None:
                kept.append(module)
        # Looked up here: a reference kept would keep the program's own objects from their end.
        main = sys.modules.get("__main__")
        if main is None or "__file__" in main.__dict__ or len(threads()) > 1:
            return
        uncaught = getattr(sys, "last_type", None)
        if uncaught is not None:
            if issubclass(uncaught, KeyboardInterrupt):
                return  # ends by the signal itself
            status[0] = 1
        # The last name in, hence the last one out.
        builtins.__dict__["__farewell__"] = new_capsule(1, None, destructor)

    increment(shorten)
    atexit.register(shorten)
