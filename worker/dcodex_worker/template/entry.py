"""The program's file, as the interpreter that is about to open it knows it.

Theory of operation
-------------------
A template is started as `python3 -u main.py`. When our hook returns the interpreter opens what
its configuration (struct PyConfig) has as run_filename, and makes sys.path[0] of the first string
in its argv. To have it open another file, these two are put in place of the template's own, as
strings of the kind that it frees at its end.

Where in the configuration they are differs from version to version. A template looks for them
before it forks anything: the only words there that lead to these very texts, read by way of the
kernel, since most words lead nowhere. Where not each is found exactly once, the worker is told,
and starts programs of other names with a fresh interpreter.

What still says main.py is /proc/self/cmdline, which shows a warm program's arguments neither: that
text is the kernel's, and has room for a name of this length alone.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import struct
import sys
from collections.abc import Callable, Iterator

from dcodex_worker.sandbox import kernel

#: How much of a configuration is looked at, in bytes. It has 400 to 500 in the versions so far,
#: and lies in the interpreter's state, which is much longer.
_CONFIG_BYTES = 1024
_WORD = struct.Struct("=Q")


class Entry:
    """Which file that is; another one only where is_free, and only in a program's process."""

    __slots__ = ("_decode", "_folder", "_name", "_places", "is_free", "path")

    def __init__(self, folder: str, name: str) -> None:
        """name: what the interpreter was started with, without arguments, in this folder."""
        self._folder, self._name = folder, name
        #: The absolute path.
        self.path = f"{folder}/{name}"
        #: The pointers to the absolute path and to the name.
        self._places = tuple(map(ctypes.c_void_p.from_address, _find(self.path, name)))
        #: Whether the interpreter can be told of another file.
        self.is_free = bool(self._places)
        # Its result is the interpreter's to free: PyMem_RawMalloc().
        self._decode = ctypes.pythonapi.Py_DecodeLocale
        self._decode.restype = ctypes.c_void_p
        self._decode.argtypes = [ctypes.c_char_p, ctypes.c_void_p]

    def become(self, name: str) -> None:
        """Have the interpreter go on with the file of this name, as if it had been started so."""
        if name == self._name:
            return
        assert self.is_free
        former, self._name, self.path = self.path, name, f"{self._folder}/{name}"
        for place, text in zip(self._places, (self.path, name), strict=True):
            place.value = self._decode(os.fsencode(text), None)
        # It has just asked whether this is a folder or an archive: neither is.
        sys.path_importer_cache[self.path] = sys.path_importer_cache.pop(former, None)


def _find(path: str, name: str) -> tuple[int, ...]:
    """Where the pointers to these two texts are; nothing where that is not certain."""
    try:
        ask: Callable[[], int] = ctypes.pythonapi._Py_GetConfig
    except AttributeError:
        return ()
    ask.restype = ctypes.c_void_p  # type: ignore[attr-defined] # a function of ctypes
    config = ask()
    words = [word for (word,) in _WORD.iter_unpack(_read(config, _CONFIG_BYTES))]
    paths = [
        config + number * _WORD.size for number, word in enumerate(words) if _is_text(word, path)
    ]
    # A PyWideStringList is its length, here 1, and where its pointers are.
    names = [
        items
        for length, items in itertools.pairwise(words)
        if length == 1 and any(_is_text(word, name) for word in _words(items))
    ]
    return (*paths, *names) if len(paths) == len(names) == 1 else ()


def _words(address: int) -> Iterator[int]:
    """The word there, if there is one."""
    for (word,) in _WORD.iter_unpack(_read(address, _WORD.size)):
        yield word


def _is_text(address: int, text: str) -> bool:
    """Whether this wide string is there."""
    # Not by a codec, which would be a module that every program finds loaded.
    wanted = struct.pack(f"={len(text) + 1}I", *map(ord, text), 0)
    return _read(address, len(wanted)) == wanted


def _read(address: int, size: int) -> bytes:
    """What is there of our memory; nothing where not all of it can be read."""
    try:
        content = kernel.read_memory(os.getpid(), address, size)
    except OSError:
        return b""
    return content if len(content) == size else b""
