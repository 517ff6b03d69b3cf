"""Tools that wait for their program: started before it is there, with this machine's compilers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dcodex_shared.languages import BY_NAME
from dcodex_shared.limits import DEFAULT_LIMITS
from dcodex_shared.program import Program, SourceFile
from dcodex_worker.runtimes import hold, native, openings
from dcodex_worker.runtimes.benches import Benches

TIMEOUT_S = 60.0
PROBLEMS = Path(__file__).parents[1] / "fidelity" / "problems"
#: Stands for the program's process: writes the program once the tools run, then compiles it.
FOREMAN = """
import json, os, sys
from dcodex_worker.sandbox.bench import Bench
plan, text, foreseen = json.loads(sys.argv[1])
plan["different"] = plan["different"].encode()
bench = Bench(plan, dict(os.environ))
with open(plan["source"], "w") as file:
    file.write(text)
bench.finish(foreseen)
print(len(bench._tools), "left", flush=True)
os._exit(99)
"""


def _benches(language: str, directory: Path) -> Benches:
    compilers = native.find()
    if language not in compilers:
        pytest.skip(f"no compiler for {language}: apt-get install g++")
    if not compilers[language].mold:
        pytest.skip("the linker mold is missing: apt-get install mold")
    hold.make(str(directory), compilers[language].path)
    return native.benches(compilers[language], str(directory))


def _plan(language: str, directory: Path) -> dict[str, Any]:
    found = _benches(language, directory).next()
    assert found is not None
    plan: dict[str, Any] = dict(found[1])
    assert plan["ahead"] == openings.USUAL[language].decode()
    made = str(directory / "made.o")
    for tool in ("assembler", "linker"):
        plan[tool] = [made if word == plan["object"] else word for word in plan[tool]]
    plan |= {"object": made, "words": str(directory / "words")}
    plan["library"] = str(directory / hold.name())
    plan["different"] = plan["different"].decode()
    return plan


def _foreman(
    plan: dict[str, Any], text: str, folder: Path, foreseen: bool = True
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-c", FOREMAN, json.dumps([plan, text, foreseen])],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
        text=True,
    )


BEGINNING = {language: text.decode() for language, text in openings.USUAL.items()}
GOOD = {
    "c": '#include <stdio.h>\nint main(void) { puts("compiled"); return 0; }\n',
    "cpp": '#include <iostream>\nint main() { std::cout << "compiled\\n"; }\n',
}


@pytest.mark.parametrize("language", GOOD)
def test_what_waited_compiles_what_came_later(language: str, tmp_path: Path) -> None:
    plan = _plan(language, tmp_path)
    done = _foreman(plan, GOOD[language], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    made = subprocess.run(
        [tmp_path / "a.out"], capture_output=True, timeout=TIMEOUT_S, check=True, text=True
    )
    assert made.stdout == "compiled\n"


@pytest.mark.parametrize("language", GOOD)
def test_an_error_of_the_program_is_told_as_by_hand(language: str, tmp_path: Path) -> None:
    text = BEGINNING[language] + "int main(void) { return x; }\n"
    done = _foreman(_plan(language, tmp_path), text, tmp_path)
    assert (done.returncode, done.stderr) == (1, _words_by_hand(language, tmp_path))
    assert done.stdout == ""


@pytest.mark.parametrize("language", GOOD)
@pytest.mark.parametrize(
    "ending",
    [
        "int main(void) { return 0;\n",
        "int main(void) { return 0",
        "int main(void) { return f(65",
        "#define F(x) x\nint main(void) { return F(65",
        "/* int main(void) { return 0; }\n",
        "int main(void) { return 0; }\n#if 1\n",
        "int main(void) { return 0; }\n#endif\n",
        'int main(void) { return "0; }\n',
        "int main(void) { return '0",
        "int main(void) { return 0; } int",
        "int main(void) { return 0; }\n#define X",
        "int main(void) { return 0; }\n#",
        "struct S { int x; ",
        "int x = ",
        "",
    ],
)
def test_an_error_at_the_end_is_told_as_by_hand(language: str, ending: str, tmp_path: Path) -> None:
    text = BEGINNING[language] + ending
    done = _foreman(_plan(language, tmp_path), text, tmp_path)
    if done.returncode != 99:
        told = done.returncode, done.stderr
        said = _words_by_hand(language, tmp_path)
        assert told == (1 if said else 0, said)


def _words_by_hand(language: str, folder: Path) -> str:
    by_hand = subprocess.run(
        [native.find()[language].path, BY_NAME[language].default_file],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
        text=True,
    )
    return by_hand.stderr


@pytest.mark.parametrize(
    "text",
    [
        "int f(void); int main(void) { return f(); }\n",
        'int main(void) { __asm__("nonsense"); }\n',
        "#include </usr/include/missing.h>\n",
    ],
)
def test_what_would_be_told_otherwise_is_left_to_the_command(text: str, tmp_path: Path) -> None:
    done = _foreman(_plan("c", tmp_path), BEGINNING["c"] + text, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (99, "0 left\n", "")


@pytest.mark.parametrize("tool", ["compiler", "assembler", "linker"])
def test_a_tool_that_fails_leaves_the_compile_to_the_command(tool: str, tmp_path: Path) -> None:
    plan = _plan("c", tmp_path) | {tool: ["/bin/false"]}
    done = _foreman(plan, GOOD["c"], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (99, "0 left\n", "")


@pytest.mark.parametrize("ahead", ["", BEGINNING["c"]])
def test_a_tool_that_was_not_held_is_not_trusted(ahead: str, tmp_path: Path) -> None:
    plan = _plan("c", tmp_path) | {"source": "another.c", "ahead": ahead}
    done = _foreman(plan, GOOD["c"], tmp_path)
    assert (done.returncode, done.stdout) == (99, "0 left\n")


@pytest.mark.parametrize("language", GOOD)
@pytest.mark.parametrize(
    "text", ["{}", "\n{}", "// nothing foreseen\n{}", "#include <errno.h>\n{}"]
)
def test_another_compiler_takes_what_begins_otherwise(
    language: str, text: str, tmp_path: Path
) -> None:
    plan = _plan(language, tmp_path) | {"ahead": "#include <string.h>\n"}
    done = _foreman(plan, text.format(GOOD[language]), tmp_path, foreseen=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "a.out").exists()


def test_a_compiler_goes_on_with_nothing_but_what_was_foreseen(tmp_path: Path) -> None:
    plan = _plan("c", tmp_path) | {"ahead": "#include <string.h>\n"}
    done = _foreman(plan, GOOD["c"], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (99, "0 left\n", "")


@pytest.mark.parametrize(("size", "status"), [(0, 0), (60_000, 0), (70_000, 99)])
def test_a_program_that_is_too_large_is_left_to_the_command(
    size: int, status: int, tmp_path: Path
) -> None:
    text = GOOD["c"] + "/*" + size * "x" + "*/"
    done = _foreman(_plan("c", tmp_path), text, tmp_path)
    assert (done.returncode, done.stderr) == (status, "")


@pytest.mark.parametrize("options", [(), ("-O2",), ("-Os", "-Wall"), ("-O3", "-std=c11")])
def test_a_compiler_that_was_held_makes_the_code_that_it_makes_by_hand(
    options: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    benches = _benches("c", tmp_path)
    compared = 0
    for path in sorted(PROBLEMS.glob("*.c")):
        text = path.read_bytes()
        program = _program(options, text)
        for _ in range(2):
            benches.remember(program, cached=False)
        found = benches.next()
        assert found is not None
        prepared, plan = found
        if not prepared.opening or not openings.fits(prepared.opening, text, [text]):
            continue
        assert prepared.opening.count(b"#include") >= 1
        folder = tmp_path / path.stem
        folder.mkdir()
        monkeypatch.chdir(folder)
        command = _words(plan["compiler"])
        held = _held(command, prepared.opening, text, tmp_path / hold.name())
        by_hand = subprocess.run(
            command, capture_output=True, timeout=TIMEOUT_S, check=False, stdin=subprocess.DEVNULL
        )
        if by_hand.returncode == 0 and not by_hand.stderr:
            assert held == by_hand.stdout, path.name
            compared += 1
    assert compared > 20


def _words(command: object) -> tuple[str, ...]:
    assert isinstance(command, tuple)
    return command


def _held(command: tuple[str, ...], opening: bytes, text: bytes, library: Path) -> bytes:
    """What a compiler writes that is held, and goes on when the program is there."""
    ours, theirs = socket.socketpair()
    environment = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "LD_PRELOAD": str(library),
        "DCODEX_HOLD": "main.c",
        "DCODEX_AHEAD": opening.decode(),
    }
    with ours, theirs:
        ours.settimeout(TIMEOUT_S)
        pid = os.posix_spawn(
            command[0],
            command,
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, "made.s", os.O_WRONLY | os.O_CREAT, 0o600),
                (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, theirs.fileno(), 3),
            ],
        )
        assert ours.recv(1) == b"h"
        Path("main.c").write_bytes(text)
        ours.send(b"g")
        os.waitpid(pid, 0)
    return Path("made.s").read_bytes()


def test_the_next_program_is_taken_for_one_of_the_last_ones_kind(tmp_path: Path) -> None:
    benches = _benches("c", tmp_path)
    optimized = _program(("-O2", "-Wall"))
    assert _kind(benches) == ()
    benches.remember(optimized, cached=False)
    assert _kind(benches) == ("-O2", "-Wall")
    benches.remember(_program(("-fplugin=x",)), cached=False)
    assert _kind(benches) is None
    benches.remember(optimized, cached=True)
    assert _kind(benches) is None


def test_the_next_program_is_foreseen_to_begin_as_the_last_ones_did(tmp_path: Path) -> None:
    benches = _benches("c", tmp_path)
    assert _opening(benches) == "#include <stdio.h>\n"
    for text in (b"#include <stdio.h>\n#include <math.h>\nint x;", b"#include <stdio.h>\nint y;"):
        benches.remember(_program((), text), cached=False)
        assert _opening(benches) == "#include <stdio.h>\n"
    benches.remember(_program((), b"int main(void) { return 0; }\n"), cached=False)
    assert _opening(benches) == ""


def _opening(benches: Benches) -> str:
    found = benches.next()
    assert found is not None
    prepared, plan = found
    assert plan["ahead"] == prepared.opening.decode()
    return prepared.opening.decode()


def _kind(benches: Benches) -> tuple[str, ...] | None:
    found = benches.next()
    if found is None:
        return None
    prepared, plan = found
    assert set(prepared.arguments) <= set(_words(plan["compiler"]))
    return prepared.arguments


def _program(options: tuple[str, ...], text: bytes = b"") -> Program:
    return Program(
        language="c",
        files=(SourceFile("main.c", 0o644, text),),
        entry_point="main.c",
        args=(),
        compile_args=options,
        environment=(),
        stdin=b"",
        stdin_complete=True,
        limits=DEFAULT_LIMITS,
    )
