"""The programs that must come out of the sandbox as they come out by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
LANGUAGE_OF = {".py": "python", ".c": "c", ".cpp": "cpp"}
#: What programs are started with: words, a space, nothing, not ASCII.
ARGS = ("one", "two words", "", "drei-ü")


@dataclass(frozen=True, slots=True)
class Case:
    """One program with its stdin."""

    name: str
    #: Canonical.
    language: str
    source: bytes
    stdin: bytes = b""
    #: Beside the program: path to content.
    beside: tuple[tuple[str, bytes], ...] = ()
    #: Added to the environment.
    env: tuple[tuple[str, str], ...] = ()

    @property
    def args(self) -> tuple[str, ...]:
        """None for a program that does not look at them: most begin in the shortest way."""
        return ARGS if b"argv" in self.source or b"argparse" in self.source else ()

    @property
    def file(self) -> str:
        """What it is stored as."""
        return {"python": "main.py", "c": "main.c", "cpp": "main.cpp"}[self.language]


def folder(name: str) -> list[Case]:
    """Every program of a folder; NAME.in beside NAME.py is its stdin."""
    found = []
    for path in sorted((HERE / name).iterdir()):
        if path.suffix in LANGUAGE_OF:
            stdin = path.with_suffix(".in")
            found.append(
                Case(
                    f"{name}/{path.name}",
                    LANGUAGE_OF[path.suffix],
                    path.read_bytes(),
                    stdin.read_bytes() if stdin.exists() else b"",
                )
            )
    return found


def _large() -> list[Case]:
    """Sources of about 2 MB, which nobody wants to keep as files."""
    body = b"".join(b"x%d = %d\n" % (n, n) for n in range(110_000))
    text = b"s = '''" + b"0123456789abcdef\n" * 125_000 + b"'''\n"
    return [
        Case("large/statements.py", "python", body + b"print(x109999)\nraise ValueError(x7)\n"),
        Case("large/string.py", "python", text + b"print(len(s), hash(s) != 0)\n1 / 0\n"),
        Case("large/comments.py", "python", b"# " + b"x" * 77 + b"\n" + b"#\n" * 900_000 + b"1/0"),
        Case("large/stdin.py", "python", b"print(len(open(0).read()))", b"line\n" * 100_000),
    ]


_SHADOWED = [
    "random",
    "string",
    "queue",
    "types",
    "token",
    "calendar",
    "json",
    "re",
    "os",
    "site",
    "enum",
    "copy",
    "abc",
    "typing",
    "heapq",
    "code",
]
_TIMES = b"import time, datetime; print(time.tzname, datetime.datetime.fromtimestamp(86400 * 200))"
_TEXT = (
    b"import sys, locale; print(sys.stdout.encoding, sys.stdin.errors, sys.flags.utf8_mode,"
    b" locale.getpreferredencoding(False), sys.getfilesystemencoding(), locale.setlocale(0))"
)
_FLAGS = b"import sys; print(sys.flags, sys.warnoptions, sys.path[:2], __debug__); assert 0"


def _projects() -> list[Case]:
    """Programs of several files: packages, and files named like modules of the library."""
    cases = [
        Case(
            f"projects/shadows-{name}",
            "python",
            f"import {name}; print({name}.__file__)\nprint({name}.MINE)\n".encode(),
            beside=((f"{name}.py", b"MINE = __name__\n"),),
        )
        for name in _SHADOWED
    ]
    package = (
        ("pkg/__init__.py", b"from pkg.a import f\n"),
        ("pkg/a.py", b"import pkg.b as b\ndef f():\n    return b.g()\n"),
        ("pkg/b.py", b"def g():\n    raise ValueError(__name__)\n"),
        ("pkg/__main__.py", b"print('as a module')\n"),
        ("data/words.txt", b"one\ntwo\n"),
    )
    listing = b"import os\nfor r, d, f in sorted(os.walk('.')): print(r, sorted(d), sorted(f))\n"
    tell = b"print(open('data/words.txt').read())\nimport pkg\npkg.f()\n"
    own = b"raise SystemExit('customized')\n"
    return [
        *cases,
        Case("projects/package", "python", tell, beside=package),
        Case("projects/run-as-module", "python", _RUN_MODULE, beside=package),
        Case("projects/listing", "python", listing, beside=package),
        Case("projects/customize", "python", b"print('main')", beside=(("sitecustomize.py", own),)),
        Case("projects/user-customize", "python", b"print(1)", beside=(("usercustomize.py", own),)),
        Case("projects/named-main", "python", b"import main as m; print(m)", beside=package),
    ]


_RUN_MODULE = b"import subprocess, sys; subprocess.run([sys.executable, '-m', 'pkg'])"


def _environments() -> list[Case]:
    """Programs whose environment changes what an interpreter does."""
    cases = [
        ("tz", _TIMES, ("TZ", "America/New_York")),
        ("tz-posix", _TIMES, ("TZ", "XYZ-5:30")),
        ("lc-all-c", _TEXT, ("LC_ALL", "C")),
        ("lc-all-posix", _TEXT, ("LC_ALL", "POSIX")),
        ("lang-c", _TEXT, ("LANG", "C")),
        ("lang-unknown", _TEXT, ("LANG", "xx_YY.UTF-8")),
        ("io-encoding", _TEXT, ("PYTHONIOENCODING", "latin-1:replace")),
        ("utf8-off", _TEXT, ("PYTHONUTF8", "0")),
        ("optimize", _FLAGS, ("PYTHONOPTIMIZE", "1")),
        ("hash-seed", b"print(hash('fixed'), {'a', 'b', 'c'})", ("PYTHONHASHSEED", "7")),
        ("warnings", b"import warnings; warnings.warn('x', DeprecationWarning)", _ERRORS),
        ("no-bytecode", _FLAGS, ("PYTHONDONTWRITEBYTECODE", "1")),
        ("path", _FLAGS, ("PYTHONPATH", "/work/lib")),
        ("home", b"print(1)", ("PYTHONHOME", "/nowhere")),
        ("dev-mode", _FLAGS, ("PYTHONDEVMODE", "1")),
        ("fault-handler", b"import os; os.abort()", ("PYTHONFAULTHANDLER", "1")),
        (
            "trace-malloc",
            b"import tracemalloc as t; print(t.is_tracing())",
            ("PYTHONTRACEMALLOC", "3"),
        ),
        ("preload", b"print(1)", ("LD_PRELOAD", "/nowhere.so")),
        ("columns", _HELP, ("COLUMNS", "40")),
        ("tmpdir", b"import tempfile; print(tempfile.gettempdir())", ("TMPDIR", "/work")),
        ("home-folder", b"import os; print(os.path.expanduser('~/x'))", ("HOME", "/elsewhere")),
        ("path-variable", b"import shutil; print(shutil.which('ls'))", ("PATH", "/nowhere")),
        ("empty-value", b"import os; print(repr(os.environ['E']))", ("E", "")),
        ("putenv", _PUTENV, ("GIVEN", "w\u00f6rd")),
    ]
    return [Case(f"environments/{name}", "python", text, env=(pair,)) for name, text, pair in cases]


_ERRORS = ("PYTHONWARNINGS", "error")
_HELP = b"import argparse; argparse.ArgumentParser(description='word ' * 30).print_help()"
_PUTENV = b"import os, ctypes; print(os.environ['GIVEN'], flush=True); os.system('echo $GIVEN')"


CASES: tuple[Case, ...] = (
    *folder("programs"),
    *folder("problems"),
    *_projects(),
    *_environments(),
    *_large(),
)
