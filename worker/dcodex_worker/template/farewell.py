"""A short end for a warm program: what a template imported is not taken apart again.

Theory of operation
-------------------
At its end an interpreter clears every module, which in a fork of a template writes into
thousands of pages that it shares with the template, to free memory that the kernel frees a
moment later. A function registered before any of the program's own `atexit` functions, hence
called after all of them, ends the process there where nobody could see what the interpreter
would still do (remains.py). Elsewhere it leaves only the program's own modules in sys.modules
(so that its destructors run as ever), and a last object in `sys`, whose destructor, called when
the interpreter has cleared everything but itself, ends the process.

The exit status that it would have had is known from here in the two usual cases: its file ended
(the interpreter has then deleted __main__.__file__), with an exception that it printed
(sys.last_value) or without. In all others (SystemExit, other threads still alive, ...) the
interpreter ends as it always does, only without the preloaded modules; and where there are audit
hooks, which would hear of what is done here, it ends as if there were nothing.

The contents of sys.modules are exchanged as a whole for those of a small dictionary: to take
modules out of it would write to each (dictionaries.py).
"""

from __future__ import annotations

import atexit
import collections
import ctypes
import io
import itertools
import os
import sys
import types
from collections.abc import Callable, Container
from typing import Any

from dcodex_worker.sandbox import kernel
from dcodex_worker.template import rehearsal, remains
from dcodex_worker.template.dictionaries import exchange
from dcodex_worker.template.entry import Entry

#: Never left out: the interpreter itself takes these apart last.
_KEPT = ("sys", "builtins", "__main__")


Rehearse = Callable[[int, list[tuple[int, int, bool]]], None]


def prepare(stashed: Container[str], entry: Entry) -> Rehearse:
    """Register the short end for all processes forked from here on.

    stashed: names of preloaded modules that a program's imports may put into sys.modules.
    entry: what the interpreter will run.
    Returns a function to be called in a rehearsal's process, with a descriptor and the ranges
    to look at: at its end it writes there what pages it has touched.
    """
    # A program's own modules come behind this one.
    last_natural = next(reversed(sys.modules))
    status = [0]
    # Taking a module apart writes into as many pages as using it: none of these ever is.
    kept: list[Any] = []
    threads, frame_of, exit_now = sys._current_frames, sys._getframe, os._exit

    destructor_type = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)

    rehearsals: list[tuple[int, list[tuple[int, int, bool]]]] = []
    touched, write = rehearsal.touched, os.write

    # By hand its files are flushed then. It may be asked for under the interpreter's lock.
    flush_all = ctypes.PyDLL(None).fflush

    def end(_: int) -> None:
        flush_all(None)
        for fd, ranges in rehearsals:
            write(fd, touched(ranges))
        exit_now(status[0])

    destructor = destructor_type(end)
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype = ctypes.py_object
    new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, destructor_type]
    is_audited = _audit_question()
    is_silent = remains.prepare()
    # These are never taken apart, whatever is cleared.
    for thing in (kept, status, rehearsals, end, destructor, destructor_type, is_silent):
        kernel.keep_for_ever(thing)

    def shorten() -> None:
        if is_audited():
            return  # what follows would be told of
        if frame_of().f_back is not None:
            return  # the program has its functions called before it ends
        modules = sys.modules
        main = modules.get("__main__")
        found = _exit_status(main, entry.path) if main is not None and len(threads()) == 1 else None
        if main is not None and found is not None:
            status[0] = found
            if is_silent(main):
                end(0)
        names = itertools.takewhile(last_natural.__ne__, reversed(modules))
        own_names = [*_KEPT, *(name for name in names if name not in stashed)]
        own = {name: modules.pop(name) for name in own_names if name in modules}
        exchange(modules, own)
        # `own` now holds the others, for ever.
        kept.append(own)
        if found is None or any(traced):
            return
        # The last name in, hence the last one out.
        sys.__dict__["__farewell__"] = new_capsule(1, None, destructor)

    kernel.keep_for_ever(shorten)
    traced = _register_untraced(shorten)

    def rehearse(fd: int, ranges: list[tuple[int, int, bool]]) -> None:
        rehearsals.append((fd, ranges))

    return rehearse


def _register_untraced(function: Callable[[], object]) -> tuple[list[Any], ...]:
    """Register it to be called at exit with the program's trace and profile functions set aside.

    Functions in C, which call each other, do that: a frame of ours would be the program's to see.
    Returns where these functions are meanwhile.
    """
    places: tuple[list[Any], ...] = ([], [])
    exhaust = collections.deque[Any](maxlen=0).extend
    both = ((sys.gettrace, sys.settrace), (sys.getprofile, sys.setprofile))
    # The last to be registered is called first.
    for (_, set_one), place in zip(both, places, strict=True):
        atexit.register(exhaust, map(set_one, iter(place)))
    atexit.register(function)
    for (get, set_one), place in zip(both, places, strict=True):
        # What there is, if anything, is appended there, which gives the None that replaces it.
        found = itertools.islice(iter(get, None), 1)
        atexit.register(exhaust, map(set_one, map(place.append, found)))
    return places


def _audit_question() -> Callable[[], bool]:
    """A function that tells whether there are audit hooks, without their hearing of it."""
    audit = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p)(
        ("PySys_Audit", ctypes.pythonapi)
    )

    def is_audited() -> bool:
        try:
            # Arguments are made for hooks alone, and from this format there are none.
            audit(b"", b"!")
        except SystemError:
            return True
        return False

    return is_audited


def _exit_status(main: types.ModuleType, path: str) -> int | None:
    """What the interpreter is about to end with; None where that is not certain."""
    if "__file__" in vars(main):
        return None  # in the middle of its file: SystemExit
    names = vars(sys)
    # Flushing another stream may fail, which is a status of its own.
    if not all(_is_usual(names.get(n), names.get(f"__{n}__")) for n in ("stdout", "stderr")):
        return None
    exception = names.get("last_value")
    if exception is None:
        return 0
    if isinstance(exception, KeyboardInterrupt):
        return None  # ends by the signal itself
    traceback = names.get("last_traceback")
    if traceback is None:
        return 1 if isinstance(exception, SyntaxError) and exception.filename == path else None
    if type(traceback) is not types.TracebackType:
        return None  # set by the program
    # `code` and its like set sys.last_value for exceptions that end nothing.
    return 1 if traceback.tb_frame.f_code.co_filename == path else None


def _is_usual(stream: Any, original: Any) -> bool:
    """Whether a standard stream is as it was made, and has nothing left to flush."""
    if type(stream) is not io.TextIOWrapper or stream is not original:
        return False
    try:
        return stream.write_through and not stream.closed and "flush" not in vars(stream)
    except ValueError:
        return False  # detached
