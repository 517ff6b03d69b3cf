"""A template's life: import what programs usually import, then fork a keeper for each worker.

It stays single-threaded (a fork copies only the calling thread), listens on a socket that the
host made, and never runs a program itself.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import importlib.machinery
import importlib.util
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from dcodex_worker.sandbox import handover, keeper, kernel, mounts, rootfs, seccomp
from dcodex_worker.template import farewell, heap, rehearsal, stash
from dcodex_worker.template.entry import Entry

#: Where launcher.py leaves the JSON of what follows.
SPECIFICATION_FD = 3
#: After a connection that could not be taken, for want of a descriptor, in milliseconds.
PAUSE_MS = 50

#: What programs import most, the most usual first: an import brings what stands before it along
#: (stash.py). Every megabyte here costs every run a tenth of a millisecond and more, at its fork
#: and at its end; asyncio, unittest, urllib.request and their like would double the template.
#: An operator whose programs need them adds them to --preload.
# fmt: off
STANDARD = (
    "collections", "re", "math", "random", "json", "itertools", "functools", "heapq", "bisect",
    "string", "datetime", "time", "copy", "enum", "operator", "contextlib", "typing", "array",
    "struct", "dataclasses", "fractions", "decimal", "statistics", "numbers", "abc", "io",
    "textwrap", "pprint", "inspect", "traceback", "threading", "queue", "hashlib", "base64",
    "uuid", "secrets", "pathlib", "glob", "shutil", "tempfile", "subprocess", "pickle", "csv",
    "logging", "argparse", "calendar", "cmath", "unicodedata", "types", "warnings", "weakref",
    "signal", "select", "socket", "gc",
)
# fmt: on


Finish = Callable[[dict[str, Any]], None]


def run(natural: frozenset[str]) -> tuple[keeper.Keeper, Finish]:
    """Serve until the host goes; returns only in a process that was forked for a keeper.

    natural: what was in sys.modules before anything of ours. Returns what lives there, and what
    is to be done with the outcome of that, if there is one, before a program begins.
    """
    with os.fdopen(SPECIFICATION_FD) as file:
        specification = json.load(file)
    _leave_no_trace()
    rootfs.leave_library()
    _adopt_real_sitecustomize()
    hidden = stash.Stash()
    rootfs.enter_private()
    with heap.gathered():
        hidden.fill(
            natural | {"sitecustomize"},
            specification["preload"],
            lambda words: print(words, file=sys.stderr),
        )
    rootfs.leave_private()
    # Only now: what keeps OpenBLAS from starting threads must be there when numpy loads it.
    _forget("OPENBLAS_NUM_THREADS")
    entry = Entry(mounts.WORK_DIRECTORY, handover.MAIN)
    rehearse = farewell.prepare(hidden, entry)
    environment = tuple(os.environ.items())

    def finish(launch: dict[str, Any]) -> None:
        if "rehearse" in launch:
            rehearse(*launch["rehearse"])
            return
        argv = launch["argv"]
        if any(name in hidden for name in _importable(launch["files"], argv[0])):
            # A program's own module of that name comes first: only a fresh start gets that right.
            os.execve(sys.executable, [sys.executable, "-u", *argv], dict(launch["environment"]))
        hidden.refresh()
        entry.become(argv[0])
        _become(launch, environment)

    # A program is to spend nothing on taking these apart.
    for thing in (hidden, entry, environment, natural, finish):
        kernel.keep_for_ever(thing)
    # What begins without finish() needs none of it.
    direct = handover.MAIN.partition(".")[0] not in hidden and not hidden.needs_refresh()
    # Use of the first one is rehearsed, for every program.
    others = [name for name in specification["preload"] if name not in STANDARD][1:]
    return _serve(
        specification, direct, entry.is_free, lambda tasks: hidden.foresee(others, tasks)
    ), finish


def _serve(
    specification: dict[str, Any], direct: bool, any_name: bool, foresee: Callable[[int], None]
) -> keeper.Keeper:
    listener = socket.socket(fileno=specification["listener"])
    alive, tasks = specification["alive"], specification["tasks"]
    chosen = seccomp.choose()
    # Children are reaped by the kernel; a keeper restores the default for its own.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    poll.register(alive, select.POLLIN)
    end = select.poll()
    end.register(alive, select.POLLIN)
    # What exists now will not be garbage: keep the collector from writing into shared pages.
    gc.collect()
    gc.freeze()
    heap.share(os.open("../maps", os.O_RDONLY | os.O_CLOEXEC, dir_fd=tasks))
    foresee(tasks)
    os.write(specification["ready"], b"1")
    os.close(specification["ready"])
    while True:
        ready = [fd for fd, _ in poll.poll()]
        if alive in ready:
            os._exit(0)
        try:
            connection, _ = listener.accept()
        except OSError:
            # Nothing to spare for it: whoever knocks still does so a moment later.
            end.poll(PAUSE_MS)
            continue
        if len(os.listdir(tasks)) != 1:
            # A library that was preloaded started a thread: its forks would be broken.
            os._exit(3)
        try:
            child = kernel.fork()
        except OSError as error:
            # Whoever asked sees the connection end, and asks again after a pause of its own.
            sys.stderr.write(f"no keeper could be forked: {error.strerror}\n")
            child = -1
        if child == 0:
            break
        connection.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for fd in (listener.detach(), alive):
        os.close(fd)
    return keeper.Keeper(
        connection,
        keeper.Inheritance(
            tasks=tasks,
            pid_namespace=specification["pid_namespace"],
            extra=tuple(specification["extra"]),
            seccomp_filter=chosen,
            maskable=tuple(specification["maskable"]),
            rehearsed=_rehearsed(specification["preload"]),
            direct=direct,
            any_name=any_name,
            lenient=frozenset(specification["lenient"]),
        ),
    )


def _rehearsed(modules: list[str]) -> bytes:
    """The program of the rehearsal; empty for a template that no program goes on in."""
    return rehearsal.source([name for name in modules if name not in STANDARD]) if modules else b""


def _leave_no_trace() -> None:
    """Take our folders out of the path and the environment, as text and as memory."""
    while rootfs.LIBRARY in sys.path:
        sys.path.remove(rootfs.LIBRARY)
    for path in [path for path in sys.path_importer_cache if path.startswith(rootfs.LIBRARY)]:
        del sys.path_importer_cache[path]
    _forget("PYTHONPATH")


def _forget(variable: str) -> None:
    """Take a variable out of the environment, and out of the memory that it came in."""
    name = f"{variable}=".encode()
    environ = ctypes.POINTER(ctypes.c_void_p).in_dll(ctypes.CDLL(None), "environ")
    index = 0
    while environ[index] and not ctypes.string_at(environ[index]).startswith(name):
        index += 1
    address = environ[index]
    os.environ.pop(variable, None)
    if address:
        # /proc/self/environ shows the memory that the process was started with.
        ctypes.memset(address, 0, len(ctypes.string_at(address)))


def _adopt_real_sitecustomize() -> None:
    """Run the sitecustomize that this interpreter would have run, under that name."""
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        # A program's own file of that name can be imported.
        del sys.modules["sitecustomize"]
        return
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # In the place that ours has among the others.
    sys.modules["sitecustomize"] = module


def _become(launch: dict[str, Any], environment: tuple[tuple[str, str], ...]) -> None:
    """The last of our code in a program's process: what a start by hand would have set."""
    sys.argv[:] = launch["argv"]
    sys.orig_argv[2:] = launch["argv"]
    if launch["environment"] != environment:
        os.environ.clear()
        os.environ.update(launch["environment"])


def _importable(files: list[tuple[str, int, bytes]], entry: str) -> set[str]:
    """What these files can be imported as: from the entry's folder, or from the topmost."""
    folder = entry[: entry.rfind("/") + 1]
    paths = [path for path, _, _ in files]
    paths += [path[len(folder) :] for path in paths if path.startswith(folder)]
    return {path.partition("/")[0].partition(".")[0] for path in paths}
