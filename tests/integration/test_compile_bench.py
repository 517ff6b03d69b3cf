"""Tools that wait for their program: started before it is there, with this machine's compilers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dcodex_shared.languages import BY_NAME
from dcodex_shared.limits import DEFAULT_LIMITS
from dcodex_shared.program import Program, SourceFile
from dcodex_worker.runtimes import hold, native
from dcodex_worker.runtimes.benches import Benches

TIMEOUT_S = 60.0
#: Stands for the program's process: writes the program once the tools run, then compiles it.
FOREMAN = """
import json, os, sys
from dcodex_worker.sandbox.bench import Bench
plan, text = json.loads(sys.argv[1])
plan["different"] = plan["different"].encode()
bench = Bench(plan, dict(os.environ))
with open(plan["source"], "w") as file:
    file.write(text)
bench.finish()
print(len(bench._pids), "left", flush=True)
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
    made = str(directory / "made.o")
    for tool in ("assembler", "linker"):
        plan[tool] = [made if word == plan["object"] else word for word in plan[tool]]
    plan |= {"object": made, "words": str(directory / "words")}
    plan["library"] = str(directory / hold.name())
    plan["different"] = plan["different"].decode()
    return plan


def _foreman(plan: dict[str, Any], text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-c", FOREMAN, json.dumps([plan, text])],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
        text=True,
    )


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
    text = "int main(void) { return x; }\n"
    done = _foreman(_plan(language, tmp_path), text, tmp_path)
    compiler = native.find()[language].path
    by_hand = subprocess.run(
        [compiler, BY_NAME[language].default_file],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stderr) == (1, by_hand.stderr)
    assert done.stdout == ""


@pytest.mark.parametrize(
    "text",
    [
        "int f(void); int main(void) { return f(); }\n",
        'int main(void) { __asm__("nonsense"); }\n',
        "#include </usr/include/missing.h>\n",
    ],
)
def test_what_would_be_told_otherwise_is_left_to_the_command(text: str, tmp_path: Path) -> None:
    done = _foreman(_plan("c", tmp_path), text, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (99, "0 left\n", "")


@pytest.mark.parametrize("tool", ["compiler", "assembler", "linker"])
def test_a_tool_that_fails_leaves_the_compile_to_the_command(tool: str, tmp_path: Path) -> None:
    plan = _plan("c", tmp_path) | {tool: ["/bin/false"]}
    done = _foreman(plan, GOOD["c"], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (99, "0 left\n", "")


def test_a_tool_that_was_not_held_is_not_trusted(tmp_path: Path) -> None:
    plan = _plan("c", tmp_path) | {"source": "another.c"}
    done = _foreman(plan, GOOD["c"], tmp_path)
    assert (done.returncode, done.stdout) == (99, "0 left\n")


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


def _kind(benches: Benches) -> tuple[str, ...] | None:
    found = benches.next()
    if found is None:
        return None
    arguments, plan = found
    compiler = plan["compiler"]
    assert isinstance(compiler, tuple)
    assert set(arguments) <= set(compiler)
    return arguments


def _program(options: tuple[str, ...]) -> Program:
    return Program(
        language="c",
        files=(SourceFile("main.c", 0o644, b""),),
        entry_point="main.c",
        args=(),
        compile_args=options,
        environment=(),
        stdin=b"",
        stdin_complete=True,
        limits=DEFAULT_LIMITS,
    )
