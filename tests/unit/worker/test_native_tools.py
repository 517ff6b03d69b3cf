"""Reading what a compiler's driver would start."""

from __future__ import annotations

import pytest

from dcodex_worker.runtimes.tools import OBJECT, Tools, parse, question

LIBRARIES = "/usr/lib/gcc/x86_64-linux-gnu/12"
WORDS = f"""\
Using built-in specs.
COLLECT_GCC=gcc
COLLECT_GCC_OPTIONS='-O2' '-pipe' '-fuse-ld=mold' '-o' 'a.out' '-mtune=generic'
 {LIBRARIES}/cc1 -quiet main.c -dumpbase main.c "-mtune=generic" "-DX=\\"a b\\"" -O2 -o - |
 as --64 -o /tmp/ccX1.o
COMPILER_PATH={LIBRARIES}/
 {LIBRARIES}/collect2 -plugin {LIBRARIES}/liblto_plugin.so "-plugin-opt=-fresolution=/tmp/r.res" \
--build-id -pie "-fuse-ld=mold" -o a.out Scrt1.o crtbeginS.o -L{LIBRARIES} /tmp/ccX1.o -lm \
--push-state --as-needed -lgcc_s --pop-state -lc {LIBRARIES}/crtendS.o crtn.o
COLLECT_GCC_OPTIONS='-pipe'
"""


def parsed(words: str = WORDS) -> Tools | None:
    return parse(words, "/usr/bin/as", "/usr/bin/mold")


def test_the_compiler_writes_to_the_assembler_as_the_driver_has_it() -> None:
    tools = parsed()
    assert tools is not None
    assert tools.compiler == (
        *(f"{LIBRARIES}/cc1", "-quiet", "main.c", "-dumpbase", "main.c", "-mtune=generic"),
        *('-DX="a b"', "-O2", "-o", "-"),
    )
    assert tools.assembler == ("/usr/bin/as", "--64", "-o", OBJECT)


def test_the_linker_reads_the_program_after_all_libraries_but_before_what_ends_the_tables() -> None:
    tools = parsed()
    assert tools is not None
    assert tools.linker == (
        *("/usr/bin/mold", "--no-fork", "--threads=2", "--build-id", "-pie", "-o", "a.out"),
        *("Scrt1.o", "crtbeginS.o", f"-L{LIBRARIES}", "-lm", "--push-state", "--as-needed"),
        *("-lgcc_s", "--pop-state", "-lc", OBJECT, f"{LIBRARIES}/crtendS.o", "crtn.o"),
    )


def test_cplusplus_has_its_own_compiler() -> None:
    assert parsed(WORDS.replace("/cc1 ", "/cc1plus ")) is not None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (" as --64 -o /tmp/ccX1.o\n", ""),
        (" as --64", " gas --64"),
        ("/cc1 ", "/cc1obj "),
        ("-o - |", "-o /tmp/ccX1.s"),
        ("-o /tmp/ccX1.o", "/tmp/ccX1.o -I"),
        (" /tmp/ccX1.o -lm", " -lm"),
        ("/crtendS.o", "/something.o"),
        ("-o - |\n", "-o - |\n echo more\n"),
        ('"-mtune=generic"', '"-mtune=generic'),
    ],
)
def test_other_words_are_not_understood(old: str, new: str) -> None:
    assert old in WORDS
    assert parsed(WORDS.replace(old, new, 1)) is None


def test_the_question_is_the_command_with_the_fast_options() -> None:
    command = ("/usr/bin/gcc", "-O2", "-o", "a.out", "main.c", "-lm")
    assert question(command, ("-pipe",)) == (
        *("/usr/bin/gcc", "-###", "-pipe", "-O2", "-o", "a.out", "main.c", "-lm"),
    )
