"""Preloaded modules, kept out of sight until a program imports them.

Theory of operation
-------------------
fill() imports modules in the template and takes them out of sys.modules again, with what they
registered to be called at exit. A program thus starts with the modules that it would start
with by hand, and pays at its end for none that it did not use. The stash is a finder: the
first import of a stashed module puts it back, with all that were imported before it and in
its own wake, so that whatever an import by hand would have loaded is there. Modules are
filled in from the most to the least used. For an import that brings hundreds, what sys.modules
will hold is laid out in the template, and put in place as a whole.
"""

from __future__ import annotations

import atexit
import importlib
import importlib.machinery
import itertools
import os
import sys
import threading
import time
import types
from collections.abc import Callable, Sequence
from typing import Any

from dcodex_worker.template import rehearsal
from dcodex_worker.template.dictionaries import exchange
from dcodex_worker.template.foresight import Foresight
from dcodex_worker.template.loading import load

#: The folder of modules that are never shown.
_OURS = "dcodex_worker"
#: An import that brings fewer modules puts them back one by one.
_MANY = 64

#: What a module must do anew in a fork, done when a program gets it.
_REFRESH: dict[str, Callable[[Any], object]] = {
    # Log records tell the time since then.
    "logging": lambda module: setattr(module, "_startTime", _now_like(module._startTime)),
    # It has made this one when it was imported.
    "matplotlib": lambda module: os.makedirs(module.get_configdir(), exist_ok=True),
    "multiprocessing.process": lambda module: _renew_key(module.current_process()),
    # Its random may be there from the start, without an import of its own: another module that
    # was preloaded has imported it.
    "numpy": lambda module: _seed(vars(module).get("random")),
    "numpy.random": lambda module: _seed(module),
    "random": lambda module: _seed(module),
    "threading": lambda module: module.main_thread()._set_native_id(),
}

Handler = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class _Group:
    """What one import brought."""

    __slots__ = ("at_exit", "at_thread_exit", "names")

    def __init__(self) -> None:
        self.names: list[str] = []
        self.at_exit: list[Handler] = []
        self.at_thread_exit: list[Handler] = []


class Stash:
    """A finder for sys.meta_path, and the loader of what it finds."""

    def __init__(self) -> None:
        self._modules: dict[str, types.ModuleType] = {}
        self._group_of: dict[str, int] = {}
        self._groups: list[_Group] = []
        #: Groups up to here are back in sys.modules.
        self._restored = 0
        self._specs: dict[str, Any] = {}
        #: By module: what its import provides.
        self._foresights: dict[str, Foresight] = {}
        #: How many modules are in sight before any import.
        self._natural = 0
        #: By module: what sys.modules holds when it is imported, but for itself.
        self._outlooks: dict[str, dict[str, types.ModuleType]] = {}

    def __contains__(self, name: object) -> bool:
        """Whether a module of this name is, or was, in the stash."""
        return name in self._group_of

    def fill(
        self, natural: frozenset[str], names: Sequence[str], complain: Callable[[str], None]
    ) -> None:
        """Import these and hide them; a package that is not installed is passed over.

        natural: what an interpreter has in sys.modules without us. Whatever else there is by
        now was imported by our own code, and is hidden too.
        """
        ours = _Group()
        ours.names = [name for name in sys.modules if name not in natural]
        self._groups.append(ours)
        before = set(sys.modules)
        register, register_thread = atexit.register, threading._register_atexit  # type: ignore[attr-defined] # the one way to hear of these
        try:
            for name in names:
                group = _Group()
                atexit.register = _recorder(group.at_exit)
                threading._register_atexit = _recorder(group.at_thread_exit)  # type: ignore[attr-defined] # likewise
                whole = load(name, complain)
                new = [module for module in sys.modules if module not in before]
                if not whole:
                    _forget(new, name.partition(".")[0])
                group.names = [module for module in new if module in sys.modules]
                before.update(group.names)
                self._groups.append(group)
        finally:
            atexit.register = register
            threading._register_atexit = register_thread  # type: ignore[attr-defined] # restored
        for number, group in enumerate(self._groups):
            for name in group.names:
                self._modules[name] = sys.modules.pop(name)
                self._group_of[name] = number
        for name in [name for name in self._modules if name.partition(".")[0] == _OURS]:
            del self._group_of[name]
        for group in self._groups:
            group.names = [name for name in group.names if name in self._group_of]
        self._natural = len(sys.modules)
        outlook = dict(sys.modules)
        for name, group in zip(("", *names), self._groups, strict=True):
            if len(group.names) >= _MANY and name in group.names:
                others = {other: self._modules[other] for other in group.names if other != name}
                self._outlooks[name] = outlook | others
            outlook.update((module, self._modules[module]) for module in group.names)
        sys.meta_path.insert(0, self)

    def foresee(self, names: Sequence[str], tasks: int) -> None:
        """Have imports of these provide what their use will write.

        To be called when all else is in its place. tasks: as foresight.py's.
        """
        for name in names:
            if name in self._group_of and name in rehearsal.USES:
                self._foresights[name] = Foresight(name, tasks)

    def needs_refresh(self) -> bool:
        """Whether refresh() would do anything."""
        return not sys.modules.keys().isdisjoint(_REFRESH)

    def refresh(self) -> None:
        """Once in a program's process: what is in sight already, whoever imported it."""
        for name, refresh in _REFRESH.items():
            if name in sys.modules:
                refresh(sys.modules[name])

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """A spec whose loader is the stash, for a module that is in it."""
        number = self._group_of.get(name)
        if number is None or number < self._restored:
            return None
        self._restore(number, name)
        self._specs[name] = self._modules[name].__spec__
        return importlib.machinery.ModuleSpec(name, self)  # type: ignore[arg-type] # a loader by its methods

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """The module as it was imported."""
        return self._modules[spec.name]

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to execute; give it its own spec back."""
        module.__spec__ = self._specs.pop(module.__name__)

    def _restore(self, last: int, asked: str) -> None:
        groups = self._groups[self._restored : last + 1]
        foresight = self._foresights.get(asked)
        if foresight is not None:
            foresight.provide()
        if not self._takes_outlook(asked):
            for name in itertools.chain.from_iterable(group.names for group in groups):
                # The import machinery itself puts the one in that was asked for.
                if name != asked:
                    sys.modules.setdefault(name, self._modules[name])
        for name, refresh in _REFRESH.items():
            if self._restored <= self._group_of.get(name, -1) <= last:
                refresh(self._modules[name])
        for group in groups:
            for function, arguments, named in group.at_exit:
                atexit.register(function, *arguments, **named)
            for function, arguments, named in group.at_thread_exit:
                threading._register_atexit(function, *arguments, **named)  # type: ignore[attr-defined] # as the module itself did
        self._restored = last + 1
        if self._restored == len(self._groups):
            sys.meta_path.remove(self)

    def _takes_outlook(self, asked: str) -> bool:
        """Put in place what was laid out for this import, if all else is as it was foreseen."""
        outlook = self._outlooks.get(asked)
        modules = sys.modules
        expected = self._natural + sum(len(group.names) for group in self._groups[: self._restored])
        if outlook is None or len(modules) != expected or "__main__" not in modules:
            return False
        main = modules["__main__"]
        if any(outlook.get(name) is not one for name, one in modules.items() if one is not main):
            return False
        # Every program has its own.
        outlook["__main__"] = main
        exchange(modules, outlook)
        # Who still holds a module at the end decides how the interpreter takes it apart.
        outlook.clear()
        return True


def _forget(modules: Sequence[str], package: str) -> None:
    """Drop what is there of a package that could not be imported.

    An import finds its parts done, and would not make them attributes of the package any more.
    """
    for name in modules:
        if name.partition(".")[0] == package:
            del sys.modules[name]


def _seed(module: Any) -> None:
    if module is not None:
        module.seed()


def _now_like(before: float) -> float:
    """This moment in the unit that the module keeps it in: whole nanoseconds since Python 3.13."""
    return time.time_ns() if isinstance(before, int) else time.time()


def _renew_key(process: Any) -> None:
    """By its key a program's own processes know each other."""
    process.authkey = os.urandom(len(process.authkey))


def _recorder(handlers: list[Handler]) -> Callable[..., Any]:
    def record(function: Callable[..., Any], *arguments: Any, **named: Any) -> Callable[..., Any]:
        handlers.append((function, arguments, named))
        return function

    return record
