"""How a program's text may begin before it is known: as the last ones began; nothing but values.

A compiler that is started ahead reads the headers that are foreseen (compiler/hold.c). A foreseen
beginning is lines that include usual headers and nothing else, so it tells nobody what another
wrote, and reading it ends soon.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Foreseen before any program was seen.
USUAL = {"c": b"#include <stdio.h>\n", "cpp": b"#include <iostream>\n"}
#: What may be foreseen: headers that every implementation has and that do nothing but declare.
_HEADERS = frozenset(
    (
        *("assert.h", "ctype.h", "errno.h", "fcntl.h", "float.h", "inttypes.h", "limits.h"),
        *("locale.h", "math.h", "pthread.h", "setjmp.h", "signal.h", "stdarg.h", "stdbool.h"),
        *("stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "strings.h", "sys/types.h"),
        *("sys/wait.h", "time.h", "unistd.h", "wchar.h", "bits/stdc++.h", "algorithm", "array"),
        *("atomic", "bitset", "cassert", "cctype", "cerrno", "cfloat", "chrono", "climits"),
        *("cmath", "complex", "condition_variable", "cstdarg", "cstddef", "cstdint", "cstdio"),
        *("cstdlib", "cstring", "ctime", "deque", "exception", "fstream", "functional"),
        *("future", "initializer_list", "iomanip", "ios", "iostream", "istream", "iterator"),
        *("limits", "list", "map", "memory", "mutex", "new", "numeric", "optional", "ostream"),
        *("queue", "random", "ratio", "regex", "set", "sstream", "stack", "stdexcept"),
        *("string", "string_view", "thread", "tuple", "type_traits", "typeinfo", "unordered_map"),
        *("unordered_set", "utility", "valarray", "variant", "vector"),
    )
)
#: The most of it, in bytes; hold.c has as much room.
_MOST_BYTES = 4096
_INCLUDE = re.compile(rb"#[ \t]*include[ \t]*<([\w./+-]+)>[ \t]*")
#: What a compiler that has begun may have taken another way: what changes the kind of code that is
#: made, and what tells of the file itself rather than of its text.
_TOO_LATE = re.compile(
    rb"#\s*pragma\s+GCC\s+(?!diagnostic)|_Pragma|__attribute[^;{]{0,200}?(?:optimize|target)|"
    rb"\bgnu\b|#\s*import\b|__TIMESTAMP__"
)


def opening(text: bytes) -> bytes:
    """The lines that it begins with, if they include usual headers; blank ones may be between."""
    end = position = 0
    while (newline := text.find(b"\n", position, _MOST_BYTES)) >= 0:
        line = text[position:newline]
        include = _INCLUDE.fullmatch(line)
        if include is not None and include[1].decode() in _HEADERS:
            end = newline + 1
        elif line.strip(b" \t"):
            break
        position = newline + 1
    return text[:end]


def foresee(before: bytes, last: bytes) -> bytes:
    """The opening of a program, from those of the two before it."""
    shared = 0
    for mine, its in zip(before.splitlines(True), last.splitlines(True), strict=False):
        if mine != its:
            break
        shared += len(mine)
    # Blank lines alone open nothing.
    return opening(last[:shared]) or last


def fits(foreseen: bytes, text: bytes, files: Iterable[bytes]) -> bool:
    """Whether a compiler that has read what was foreseen may go on with this text.

    files: all of the program's, which it may include.
    """
    if not foreseen:
        return True
    return (
        text.startswith(foreseen)
        # A file that ends within a line is said to, unless lines follow.
        and not text.rstrip(b" \t\f\v\r\n").endswith((b"\\", b"??/"))
        and not any(map(_TOO_LATE.search, files))
    )
