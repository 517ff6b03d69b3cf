"""Compiling fast, and by hand where the fast way would show."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dcodex_shared.limits import DEFAULT_LIMITS
from dcodex_shared.program import Program, SourceFile
from dcodex_worker.runtimes import attempt


def program(source: bytes = b"", language: str = "cpp", args: tuple[str, ...] = ()) -> Program:
    suffix = {"c": "c", "cpp": "cpp"}[language]
    files = (
        SourceFile("z." + suffix, 0o644, b""),
        SourceFile("data.txt", 0o644, b""),
        SourceFile("main." + suffix, 0o644, source),
        SourceFile("a b." + suffix, 0o644, b""),
    )
    return Program(
        language,
        files,
        f"main.{suffix}",
        (),
        args,
        (),
        b"",
        stdin_complete=True,
        limits=DEFAULT_LIMITS,
    )


def fast_line(made: Program, mold: bool = True) -> str:
    command = attempt.by_hand("g++", made)
    options = attempt.options(made, ("-isystem", "/there"), mold)
    return attempt.script(command, options).splitlines()[0]


def test_by_hand_every_source_file_is_named_and_the_entry_point_is_first() -> None:
    command = attempt.by_hand("g++", program(args=("-O2",)))
    assert command == ("g++", "-O2", "-o", "a.out", "main.cpp", "a b.cpp", "z.cpp")


def test_c_gets_the_mathematics_last() -> None:
    assert attempt.by_hand("gcc", program(language="c"))[-1] == "-lm"


def test_a_program_that_says_openmp_gets_it() -> None:
    assert "-fopenmp" in attempt.by_hand("g++", program(b"#pragma omp parallel\n"))
    assert "-fopenmp" not in attempt.by_hand("g++", program())


def test_the_fast_way_has_headers_pipes_and_the_fast_linker() -> None:
    line = fast_line(program())
    assert "-pipe" in line
    assert "-isystem /there" in line
    assert "-fuse-ld=mold" in line
    assert "-fuse-ld=mold" not in fast_line(program(), mold=False)


@pytest.mark.parametrize("argument", ["-static", "-static-libgcc", "-Wl,-z,now", "-flto", "-w"])
def test_who_asks_for_a_way_of_linking_gets_the_default_linker(argument: str) -> None:
    assert "mold" not in fast_line(program(args=(argument,)))


def test_functions_that_the_default_linker_warns_of_are_linked_by_it() -> None:
    assert "mold" not in fast_line(program(b"int main() { char b[9]; gets(b); }", "c"))
    assert "mold" in fast_line(program(b"int main() { char b[9]; fgets(b, 9, 0); }", "c"))


def test_names_and_options_reach_the_compiler_as_they_are(tmp_path: Path) -> None:
    made = program(args=("-DX='; echo $(id) `id`\n\"",))
    command = attempt.by_hand("printf-all", made)
    script = attempt.script(command, ("-pipe",))
    tool = tmp_path / "printf-all"
    tool.write_text('#!/bin/sh\nprintf "%s\\0" "$@"\n')
    tool.chmod(0o755)
    came = _run(script, tmp_path)
    assert came.stdout.split(b"\0")[:-1] == [b"-pipe", *(part.encode() for part in command[1:])]


@pytest.mark.parametrize(
    ("words", "status", "again"),
    [
        ("", 0, False),
        ("main.cpp:1:1: warning: unused\n", 0, False),
        ("main.cpp:1:1: error: no\n", 1, False),
        ("", 1, True),
        ("In file included from x.h:1:\n", 1, True),
        ("/usr/include/c++/12/ostream:108:7: note: candidate\n", 1, True),
        ("mold: error: undefined symbol: f()\n", 1, True),
        ("collect2: error: ld returned 1 exit status\n", 1, True),
        ("{standard input}: Assembler messages:\n", 1, True),
        ("main.c:3:1: warning: trampoline generated for nested function\n", 0, True),
    ],
)
def test_what_differs_from_a_compile_by_hand_is_compiled_by_hand(
    tmp_path: Path, words: str, status: int, again: bool
) -> None:
    tool = tmp_path / "tool"
    # Says the words the first time, and "by hand" with status 7 when it is not told -pipe.
    tool.write_text(
        '#!/bin/sh\n[ "$1" = -pipe ] || { echo by hand >&2; exit 7; }\n'
        f"printf %s '{words}' >&2\nexit {status}\n"
    )
    tool.chmod(0o755)
    made = program()
    came = _run(attempt.script(attempt.by_hand("tool", made), ("-pipe",)), tmp_path)
    if again:
        assert (came.stderr, came.returncode) == (b"by hand\n", 7)
    else:
        assert (came.stderr, came.returncode) == (words.encode(), status)


def _run(script: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=folder,
        env={"PATH": f"{folder}:/usr/bin:/bin", "TMPDIR": str(folder)},
        capture_output=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("word", [b"__DATE__", b"__TIME__", b"__TIMESTAMP__"])
def test_a_program_that_tells_when_it_was_compiled_is_not_kept(word: bytes) -> None:
    assert not attempt.is_lasting(program(b"const char *when = " + word + b";\n"))
    assert attempt.is_lasting(program(b"const char *where = __FILE__;\n"))
