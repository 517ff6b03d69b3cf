"""Which precompiled header the compiler itself would take for a program; nothing but values.

GCC takes one for the first #include of a file, before any token, when the options that shape
the language and the code are those it was made with; it compares macros, and what it cannot
compare is compared here. A guess of "none" costs time only, so whatever is unusual is "none".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

#: Options that shape language and code, in a fixed order; () is a compile without any.
OptionSet = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Precompiled:
    """One precompiled header: as it is written between < and >, and for which options."""

    header: str
    options: OptionSet


_LARGE = ("iostream", "bits/stdc++.h")
#: What C++ files that begin with neither begin with: containers, text, numbers.
_SMALL = ("vector", "string", "algorithm", "map", "cstdio", "cmath", "sstream", "memory")
#: What courses, contests and interviews compile with. Standards alone change little for the
#: small headers, which are soon read.
_STANDARDS: tuple[OptionSet, ...] = (
    ("-std=c++17",),
    ("-std=c++17", "-O2"),
    ("-std=c++20",),
    ("-std=c++20", "-O2"),
)
_USUAL: tuple[OptionSet, ...] = ((), ("-O2",))
#: All that are made, the most useful first: 1030 MB with GCC 12.
WANTED: tuple[Precompiled, ...] = (
    *(Precompiled(header, options) for header in _LARGE for options in _USUAL),
    *(Precompiled(header, options) for header in _SMALL for options in _USUAL),
    *(Precompiled(header, options) for options in _STANDARDS for header in _LARGE),
)

_STANDARD = re.compile(r"-std=\S+")
_LEVEL = re.compile(r"-O(?:\w*)")
#: Options that change neither language nor code: warnings (which are about the program's own
#: text; the two that are about headers are not here), libraries, and macros, which the
#: compiler compares itself.
_NEUTRAL = re.compile(
    r"-W(?!p,|a,|l,|system-headers|invalid-pch|pedantic)[a-z][\w+=-]*|-w|-s|-static|-l\S+|-[DU]\w.*",
    re.DOTALL,
)

_SPACE = rb"[ \t\f\v\r]"
_BLANK = re.compile(
    rb"(?:[ \t\f\v\r\n]+|//(?:[^\n\\]|\\(?!%b*\n))*\n|/\*.*?\*/)*" % _SPACE, re.DOTALL
)
_INCLUDE = re.compile(rb"#[ \t]*include[ \t]*(?:<([\w./+-]+)>|\"([\w./+-]+)\")")
#: Directives that may come first: the compiler compares what they did to macros. A pragma can
#: change what it does not compare.
_HARMLESS = re.compile(
    rb"#[ \t]*(?:define|undef|ifdef|ifndef|if|elif|else|endif|pragma[ \t]+once)(?!\w)"
)
_LINE = re.compile(rb"(?:[^\n\\]|\\(?!%b*\n)|\\%b*\n)*\n" % (_SPACE, _SPACE))
#: On a directive's line: what can make it end elsewhere than it seems to.
_OPAQUE = re.compile(rb"/\*|R\"")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: How far into a file its first #include is looked for, in bytes: beyond any licence's text, and
#: little enough that no text can keep a worker busy.
_LOOK_BYTES = 16 * 1024


def options_that_matter(arguments: Iterable[str]) -> OptionSet | None:
    """What a header must have been compiled with; None where something is not understood."""
    standard = level = ""
    for argument in arguments:
        if _STANDARD.fullmatch(argument):
            standard = argument
        elif _LEVEL.fullmatch(argument):
            level = argument
        elif not _NEUTRAL.fullmatch(argument):
            return None
    return tuple(option for option in (standard, "" if level == "-O0" else level) if option)


def first_include(source: bytes) -> str | None:
    """The name in the #include that a file begins with; None where anything else comes first.

    Comments, definitions of macros and conditions may come before it.
    """
    source = source[:_LOOK_BYTES]
    position = len(_BYTE_ORDER_MARK) if source.startswith(_BYTE_ORDER_MARK) else 0
    while True:
        blank = _BLANK.match(source, position)
        assert blank is not None
        # A trigraph may end or go on with a line, where the standard asked for has them.
        if b"??" in blank[0]:
            return None
        position = blank.end()
        include = _INCLUDE.match(source, position)
        if include is not None:
            name: bytes = include[1] or include[2]
            return name.decode()
        line = _HARMLESS.match(source, position) and _LINE.match(source, position)
        if not line or b"??" in line[0] or _OPAQUE.search(line[0]):
            return None
        position = line.end()


def candidates(arguments: Iterable[str], sources: Iterable[bytes]) -> tuple[Precompiled, ...]:
    """The precompiled headers that a compile of these files would take where they exist.

    All files of one compile search the same places, so that all must be understood.
    """
    options = options_that_matter(arguments)
    if options is None:
        return ()
    found = []
    for source in sources:
        name = first_include(source)
        if name is None:
            return ()
        found.append(Precompiled(name, options))
    return tuple(found)
