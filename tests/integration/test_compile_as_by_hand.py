"""What a compile says and makes is what it says and makes by hand, however it was done."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import dcodex
from dcodex.demo.preflight import missing_right
from dcodex.testing import Farm, quiet_flags
from dcodex_worker.runtimes import hold
from dcodex_worker.runtimes.header_store import HeaderStore, make
from dcodex_worker.runtimes.headers import Precompiled
from dcodex_worker.template.launcher import ENVIRONMENT

GXX, GCC = "/usr/bin/g++", "/usr/bin/gcc"
MADE = (Precompiled("iostream", ()), Precompiled("vector", ()), Precompiled("iostream", ("-O2",)))
LIMITS = dcodex.Limits(cpu_s=20.0, wall_s=60.0, memory_bytes=1 << 30)
PATIENCE_S = 120.0
_TEMPORARY = re.compile(r"/tmp/cc\w{6}")

HELLO = '#include <iostream>\nint main() { std::cout << "hello\\n"; }\n'


@dataclass(frozen=True, slots=True)
class Case:
    """Files of one program, the first of which is the entry point, and compiler options."""

    files: dict[str, str]
    options: tuple[str, ...] = field(default=())


CASES = {
    "plain C++": Case({"main.cpp": HELLO}),
    "with an option": Case({"main.cpp": HELLO}, ("-O2",)),
    "with macros": Case({"main.cpp": "#ifdef N\n" + HELLO + "#endif\n"}, ("-O2", "-DN=1")),
    "a second header": Case({"main.cpp": "#include <vector>\n" + HELLO + "// once more\n"}),
    "the same header twice": Case({"main.cpp": "#include <iostream>\n" + HELLO}),
    "a header of its own that includes it too": Case(
        {
            "main.cpp": '#include <iostream>\n#include "mine.h"\n' + HELLO,
            "mine.h": HELLO[:19] + "\n",
        }
    ),
    "a pragma before all": Case(
        {"main.cpp": '#pragma GCC optimize("O3")\n#include <iostream>\n' + HELLO}, ("-O2",)
    ),
    "two files": Case(
        {
            "main.cpp": "#include <vector>\nint f();\nint main() { return f(); }\n",
            "other.cpp": '#include <iostream>\nint f() { std::cout << "f\\n"; return 3; }\n',
        }
    ),
    "a wrong name": Case({"main.cpp": "#include <iostream>\nint main() { return x; }\n"}),
    "an error that tells of headers": Case(
        {"main.cpp": "#include <iostream>\nstruct S {};\nint main() { std::cout << S(); }\n"}
    ),
    "an error within a header": Case(
        {
            "main.cpp": "#include <vector>\nstruct S { S(S&) = delete; S() {} };\n"
            "int main() { std::vector<S> v; v.push_back(S()); }\n"
        }
    ),
    "a warning": Case(
        {"main.cpp": "#include <iostream>\nint main() { int x = 1; return 0; }\n"}, ("-Wall",)
    ),
    "a name that is nowhere": Case(
        {"main.cpp": "#include <iostream>\nint f();\nint main() { f(); }\n"}
    ),
    "no main": Case({"main.cpp": "#include <iostream>\n"}),
    "a header that is nowhere": Case({"main.cpp": "#include <iostream>\n#include <nowhere>\n"}),
    "nothing": Case({"main.cpp": ""}),
    "an option that is wrong": Case({"main.cpp": HELLO}, ("-Wnonsense", "-fnonsense")),
    "assembly that is wrong": Case({"main.cpp": 'int main() { asm("nonsense"); }\n'}),
    "plain C": Case(
        {"main.c": '#include <stdio.h>\nint main(void) { puts("hello"); return 4; }\n'}
    ),
    "C with data": Case(
        {
            "main.c": '#include <stdio.h>\n#include "n.h"\n'
            'int main(void) { FILE *f = fopen("d", "r"); return f ? fgetc(f) + N : 1; }\n',
            "n.h": "#define N 1\n",
            "d": "A",
        }
    ),
    "C that needs the mathematics": Case(
        {
            "main.c": "#include <math.h>\n#include <stdlib.h>\n"
            "int main(int n, char **v) { (void)v; return (int)(10 * sin(n)); }\n"
        },
        ("-O2",),
    ),
    "C with an error": Case({"main.c": "int main(void) { return x }\n"}),
    "C that says too little": Case({"main.c": 'int main(void) { puts("implicit"); return 0; }\n'}),
    "C that uses what nobody should": Case(
        {"main.c": "char *gets(char *);\nint main(void) { char b[99]; return !gets(b); }\n"}
    ),
    "C whose stack must be executable": Case(
        {
            "main.c": "#include <stdlib.h>\nint main(void) { int n = 1;\n"
            "int f(const void *a, const void *b) { return n + (a < b); }\n"
            "int a[2] = {2, 1}; qsort(a, 2, sizeof *a, f); return 0; }\n"
        }
    ),
    "C that is not there": Case({"main.c": '#include "missing.h"\n'}),
    "C with its own malloc": Case(
        {
            "main.c": "#include <stdlib.h>\nstatic char heap[64];\n"
            "void *malloc(size_t n) { (void)n; return heap; }\nvoid free(void *p) { (void)p; }\n"
            "int main(void) { return malloc(3) == (void *)heap ? 7 : 8; }\n"
        }
    ),
}


@pytest.fixture(scope="module")
def client() -> Iterator[dcodex.Client]:
    right = missing_right()
    if right:
        pytest.skip(right)
    for compiler in (GXX, GCC):
        if not os.path.exists(compiler):
            pytest.skip(f"{compiler} is missing: apt-get install g++")
    with tempfile.TemporaryDirectory(prefix="dcodex-cache-") as cache:
        directory = os.path.join(cache, "headers")
        os.makedirs(directory)
        hold.make(directory, GCC)
        for wanted in MADE:
            make(GXX, wanted, HeaderStore(directory, GXX))
        flags = (f"--compile_cache_dir={cache}", "--compile_cache_bytes=0")
        with Farm(*quiet_flags(2), *flags) as farm, dcodex.connect(farm.target) as client:
            yield client


@pytest.mark.parametrize("name", CASES)
@pytest.mark.timeout(300)
def test_a_compile_comes_out_as_by_hand(name: str, client: dcodex.Client, tmp_path: Path) -> None:
    case = CASES[name]
    entry = next(iter(case.files))
    expected = _by_hand(case, entry, tmp_path)
    # The second one finds the tools waiting for programs of the first one's kind.
    for _ in range(2):
        result = client.run(
            files=case.files,
            entry_point=entry,
            language="c" if entry.endswith(".c") else "cpp",
            compile_args=case.options,
            limits=LIMITS,
            cache=False,
            timeout_s=PATIENCE_S,
        )
        words = _TEMPORARY.sub("/tmp/cc*", result.compiler_text)
        assert (words, result.text, result.exit_code) == expected


def _by_hand(case: Case, entry: str, folder: Path) -> tuple[str, str, int]:
    """The compiler's words, the program's output and its exit code; -1: it never ran."""
    for path, text in case.files.items():
        (folder / path).write_text(text)
    sources = [path for path in case.files if path.endswith((".c", ".cpp"))]
    compiler, last = (GCC, ["-lm"]) if entry.endswith(".c") else (GXX, [])
    command = [os.path.basename(compiler), *case.options, "-o", "a.out", *sources, *last]
    done = _run(command, folder)
    words = _TEMPORARY.sub("/tmp/cc*", done.stderr)
    if done.returncode != 0:
        return words, "", -1
    ran = _run(["./a.out"], folder)
    return words, ran.stdout, ran.returncode


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
        text=True,
    )
