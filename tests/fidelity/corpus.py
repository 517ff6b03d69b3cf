"""The programs that must come out of the sandbox as they come out by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
LANGUAGE_OF = {".py": "python", ".c": "c", ".cpp": "cpp"}
#: What every program is started with: words, a space, nothing, not ASCII.
ARGS = ("one", "two words", "", "drei-ü")


@dataclass(frozen=True, slots=True)
class Case:
    """One program with its stdin."""

    name: str
    #: Canonical.
    language: str
    source: bytes
    stdin: bytes = b""

    @property
    def file(self) -> str:
        """What it is stored as."""
        return {"python": "main.py", "c": "main.c", "cpp": "main.cpp"}[self.language]


def _folder(name: str) -> list[Case]:
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


CASES: tuple[Case, ...] = (*_folder("programs"), *_folder("problems"), *_large())
