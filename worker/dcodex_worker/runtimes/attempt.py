"""How a program is compiled: by hand, and fast; and when the fast way may stand for the other.

The fast way is a shell's script, so that one sandbox does both: it keeps the compiler's words
aside and looks at them. It stands if it succeeded in silence, or if all it said is about the
program's own text. Words that name a header's file tell the way by which it was included, which
differs with a precompiled one; an assembler names its input, and each linker has words of its
own. Then the compile is done by hand.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from dcodex_shared.languages import BY_NAME
from dcodex_shared.program import Program, SourceFile
from dcodex_worker.runtimes.names import not_an_option

#: What the linked program is called, as by hand.
PRODUCT = "a.out"
#: What the names of files that are compiled end with, by language.
SUFFIXES = {"c": (".c",), "cpp": (".cpp", ".cc", ".cxx", ".c++", ".C")}
#: A program that uses OpenMP says so; linking its runtime into all others costs milliseconds.
_OPENMP = re.compile(rb"#\s*pragma\s+omp\b|#\s*include\s*[<\"]omp\.h")
#: Functions that the default linker warns of wherever they are used, and mold does not.
_WARNED_OF = re.compile(
    rb"\b(?:gets|tmpnam|tmpnam_r|tempnam|mktemp|getpw|getwd|revoke|gtty|stty|chflags|fchflags|"
    rb"setlogin|sigstack|sigreturn|siggetmask|re_max_failures|pthread_attr_[gs]etstackaddr|"
    rb"inet6_option_\w+)\b"
)
#: Macros that tell when a program was compiled. Names may be pasted together from pieces, which
#: nobody does.
_TELLS_TIME = re.compile(rb"__(?:DATE|TIME|TIMESTAMP)__")
#: Options that make the default linker warn, are about the linker, or silence the compiler.
_ABOUT_LINKING = re.compile(r"-w|-static\S*|-fuse-ld=\S+|-Wl,.*|-Xlinker|-T.*|-flto\S*|-r|-shared")
#: Words that differ between the two ways, as an extended regular expression.
DIFFERENT = r"/usr/|\.dcodex|In file included from|\{standard input\}|mold|collect2|trampoline"
#: Where the words are kept; private to the sandbox.
_WORDS = "${TMPDIR:-/tmp}/.words"


def sources(program: Program) -> list[bytes]:
    """The texts that the compiler is given."""
    return [file.content for file in _compiled(program)]


def by_hand(compiler: str, program: Program) -> tuple[str, ...]:
    """The command that a user would type: every source file named, the entry point first."""
    paths = [not_an_option(file.path) for file in _compiled(program)]
    return (
        compiler,
        *(("-fopenmp",) if _uses(_OPENMP, program.files) else ()),
        *program.compile_args,
        "-o",
        PRODUCT,
        *paths,
        # Last, so that a C program need not ask for the part of libc that has a file of its own.
        *(("-lm",) if program.language == "c" else ()),
    )


def is_plain(program: Program) -> bool:
    """Whether only its options tell how it is compiled: one file, of the usual name."""
    compiled = [file.path for file in _compiled(program)]
    return (
        compiled == [BY_NAME[program.language].default_file]
        and not _uses(_OPENMP, program.files)
        and not _uses(_WARNED_OF, program.files)
    )


def is_lasting(program: Program) -> bool:
    """Whether a compile tomorrow would make the same program."""
    return not _uses(_TELLS_TIME, program.files)


def options(program: Program, search: tuple[str, ...], mold: bool) -> tuple[str, ...]:
    """What a fast compile adds to the command.

    search: the options with which precompiled headers are found, if any.
    """
    about_linking = any(map(_ABOUT_LINKING.fullmatch, program.compile_args))
    if not mold or about_linking or _uses(_WARNED_OF, program.files):
        return ("-pipe", *search)
    # A stack that must be executable is a warning of the default linker alone.
    return ("-pipe", *search, "-fuse-ld=mold", "-Wtrampolines")


def script(command: tuple[str, ...], options: tuple[str, ...]) -> str:
    """A shell's script that compiles: fast if that comes to the same, else by hand.

    command: by_hand()'s; options: what options() adds to it.
    """
    compiler, *rest = command
    fast = shlex.join((compiler, *options, *rest))
    alike = f"[ -s {_WORDS} ] && ! grep -qE '{DIFFERENT}' {_WORDS}"
    return (
        f"{fast} 2>{_WORDS}; s=$?\n"
        f"[ $s = 0 ] && [ ! -s {_WORDS} ] && exit 0\n"
        f"{alike} && {{ cat {_WORDS} >&2; exit $s; }}\n"
        f"exec {shlex.join(command)}\n"
    )


def _compiled(program: Program) -> list[SourceFile]:
    suffixes = SUFFIXES[program.language]
    entry = [file for file in program.files if file.path == program.entry_point]
    others = [
        file
        for file in program.files
        if file.path.endswith(suffixes) and file.path != program.entry_point
    ]
    return [*entry, *sorted(others, key=lambda file: file.path)]


def _uses(pattern: re.Pattern[bytes], files: Iterable[SourceFile]) -> bool:
    return any(pattern.search(file.content) for file in files)
