"""The programs that must come out of the sandbox as they come out by hand."""

from __future__ import annotations

import importlib.util
import io
import marshal
import zipfile
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
    #: What it is stored as; "": as main, with its language's suffix.
    stored: str = ""

    @property
    def args(self) -> tuple[str, ...]:
        """None for a program that does not look at them: most begin in the shortest way."""
        return ARGS if b"argv" in self.source or b"argparse" in self.source else ()

    @property
    def file(self) -> str:
        """Its path below the work directory."""
        return self.stored or {"python": "main.py", "c": "main.c", "cpp": "main.cpp"}[self.language]


def folder(name: str, own_names: bool = False) -> list[Case]:
    """Every program of a folder; NAME.in beside NAME.py is its stdin.

    own_names: Python only, and stored as they are called here, as `dcodex run` does.
    """
    found = []
    for path in sorted((HERE / name).iterdir()):
        if path.suffix in LANGUAGE_OF and (path.suffix == ".py" or not own_names):
            stdin = path.with_suffix(".in")
            found.append(
                Case(
                    f"named/{path.name}" if own_names else f"{name}/{path.name}",
                    LANGUAGE_OF[path.suffix],
                    path.read_bytes(),
                    stdin.read_bytes() if stdin.exists() else b"",
                    stored=path.name if own_names else "",
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


#: What a file may be called, also where a command could take it for something else.
_NAMES = [
    "-",
    "-c.py",
    "-m",
    "--version",
    "@words.py",
    ".py",
    "..py",
    "a b.py",
    "no_suffix",
    "words.txt",
    "two.dots.py",
    "\u00fcml\u00e4ut.py",
    "\u65e5\u672c.py",
    "\U0001f40d.py",
    "'quoted\".py",
    "new\nline.py",
    "back\\slash.py",
    "__main__.py",
    "main",
    "main.pyw",
    "main.py.py",
    "run/main.py",
    "run/deep/er/app.py",
    "run.py/app.py",
    "n" * 200 + ".py",
]
#: Names of modules: of some that are loaded at the start, that are preloaded, or neither.
_MODULES = ["os", "site", "io", "zipimport", "json", "random", "asyncio", "queue", "main"]
_MODULES += ["sitecustomize", "usercustomize"]
_NAMED = b"""\
import NAME, sys
print(__name__, __file__, NAME.__name__, NAME.__file__, NAME is sys.modules['__main__'])
print([name for name in vars(NAME) if name == 'sys'], sys.path[0])
"""


def _names() -> list[Case]:
    """Programs that are stored under other names than main.py."""
    tell = (HERE / "programs" / "own_file.py").read_bytes()
    code = compile(b"import sys; print(__file__, __cached__, sys.path[0])\n1 / 0\n", "x.py", "exec")
    compiled = importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)
    archive = io.BytesIO(b"#!/usr/bin/python3\n")
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("__main__.py", "import sys, other; print(__file__, sys.path[0])\nother.f()")
        file.writestr("other.py", "def f():\n    print(__file__)\n    raise ValueError\n")
    contents = [
        ("compiled.pyc", compiled),
        ("compiled.py", compiled),
        ("no_bytecode.pyc", b"print(1)\n"),
        ("archive.pyz", archive.getvalue()),
        ("archive.py", archive.getvalue()),
        ("wrong.py", b"def f(:\n"),
        ("wrong.txt", b"\xff = 1\n"),
        ("empty.py", b""),
        ("null.py", b"print(1)\n\0"),
    ]
    uses = b"import json, helper, sys; print(json.__file__, helper.__file__, sys.path[0])\n"
    helper = ("run/helper.py", b"")
    ends = b"import sys; print(__file__); sys.exit(3)\n"
    return [
        *(Case(f"names/{number}", "python", tell, stored=n) for number, n in enumerate(_NAMES)),
        *(
            Case(
                f"names/module-{name}",
                "python",
                _NAMED.replace(b"NAME", name.encode()),
                stored=f"{name}.py",
            )
            for name in _MODULES
        ),
        *(Case(f"names/{name}", "python", content, stored=name) for name, content in contents),
        *(
            Case(
                f"names/beside-{name}",
                "python",
                uses,
                beside=((name, b""), helper),
                stored="run/x.py",
            )
            for name in ("json.py", "run/json.py", "run/json/__init__.py")
        ),
        Case("names/exit", "python", ends, stored="hello.py"),
        Case("names/exit-env", "python", ends, env=(("TOKEN", "1"),), stored="hello.py"),
    ]


CASES: tuple[Case, ...] = (
    *folder("programs"),
    *folder("programs", own_names=True),
    *_names(),
    *folder("problems"),
    *_projects(),
    *_environments(),
    *_large(),
)
