"""The tools behind a compiler's driver, as command lines: read from what the driver says.

`gcc -###` prints what it would start. From that comes what a bench (sandbox/bench.py) starts
before the program is known. What is not exactly as expected gives no bench, and compiles then
go through the driver.
"""

from __future__ import annotations

import posixpath
import shlex
from dataclasses import dataclass

#: The assembler's product; in a place that no program's file has.
OBJECT = "/tmp/.main.o"
#: What the tools say.
WORDS = "/tmp/.tools-words"
#: A linker that does not fork stays our child; its second thread reads the libraries while the
#: first is held, which the first alone would do only later. More cost small programs time.
_LINKER_OPTIONS = ("--no-fork", "--threads=2")
_PIPE = "|"


@dataclass(frozen=True, slots=True)
class Tools:
    """Command lines; argv[0] as the driver has it."""

    compiler: tuple[str, ...]
    assembler: tuple[str, ...]
    linker: tuple[str, ...]


def question(command: tuple[str, ...], options: tuple[str, ...]) -> tuple[str, ...]:
    """The command whose words parse() reads; the source that it names must exist where it runs.

    command: as by hand, with the compiler first; options: attempt.options()'s, with mold.
    """
    compiler, *rest = command
    return (compiler, "-###", *options, *rest)


def parse(words: str, assembling: str, linker: str) -> Tools | None:
    """The tools of one compile; None where the driver's words are not understood.

    assembling, linker: paths of the assembler and of mold, which are started directly.
    """
    try:
        commands = [shlex.split(line) for line in words.splitlines() if line.startswith(" ")]
    except ValueError:
        return None
    names = [posixpath.basename(command[0]) for command in commands]
    if names not in (["cc1", "as", "collect2"], ["cc1plus", "as", "collect2"]):
        return None
    compiler, assembler, collect = commands
    if compiler[-3:] != ["-o", "-", _PIPE] or assembler[-2:-1] != ["-o"]:
        return None
    made = assembler[-1]
    linking = _linker(collect[1:], made)
    if linking is None:
        return None
    return Tools(
        tuple(compiler[:-1]),
        (assembling, *assembler[1:-1], OBJECT),
        (linker, *_LINKER_OPTIONS, *linking),
    )


def _linker(arguments: list[str], made: str) -> list[str] | None:
    """The linker's arguments, with the program's object behind all libraries.

    So it is the last file but for those that end the tables; whose symbols win does not depend
    on the order here, and the linker has read all others by then.
    """
    if arguments.count(made) != 1:
        return None
    kept = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "-plugin":
            next(rest, None)
        elif argument == made or argument.startswith(("-plugin-opt=", "-fuse-ld=")):
            continue
        else:
            kept.append(argument)
    ends = [at for at, name in enumerate(kept) if posixpath.basename(name).startswith("crtend")]
    if len(ends) != 1:
        return None
    kept.insert(ends[0], OBJECT)
    return kept
