"""The programs of the demo, and what each must come to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from dcodex.values import Limits, Verdict

MIB = 1 << 20

#: What the interactive example is to guess.
SECRET = 73
_QUESTION = re.compile(r"is it greater than (\d+)\?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One program."""

    #: Paths below the examples; the first one starts.
    files: tuple[str, ...]
    language: str
    about: str
    verdict: Verdict
    #: None where it is the compiler's business.
    exit_code: int | None
    #: Must be in what it writes.
    says: str = ""
    args: tuple[str, ...] = ()
    stdin: str = ""
    #: Gives the answer to a line of its output, which goes to its stdin while it runs.
    answer: Callable[[str], str | None] | None = None
    limits: Limits = field(default_factory=Limits)


def answer_guess(line: str) -> str | None:
    """What a person who thinks of SECRET says."""
    question = _QUESTION.fullmatch(line)
    if question is None:
        return None
    return "yes\n" if int(question[1]) < SECRET else "no\n"


CASES = (
    Case(
        files=("hello.py",),
        language="python",
        about="hello in Python",
        verdict=Verdict.OK,
        exit_code=0,
        says="hello from Python\n",
    ),
    Case(
        files=("hello.c",),
        language="c",
        about="hello in C",
        verdict=Verdict.OK,
        exit_code=0,
        says="hello from C\n",
    ),
    Case(
        files=("hello.cpp",),
        language="cpp",
        about="hello in C++",
        verdict=Verdict.OK,
        exit_code=0,
        says="hello from C++\n",
    ),
    Case(
        files=("ticker.py",),
        language="python",
        about="a line every 100 ms",
        verdict=Verdict.OK,
        exit_code=0,
        says="tick 10",
    ),
    Case(
        files=("interactive.py",),
        language="python",
        about="asks, and is answered while it runs",
        verdict=Verdict.OK,
        exit_code=0,
        says=f"it is {SECRET}\n",
        answer=answer_guess,
    ),
    Case(
        files=("multi_file/main.py", "multi_file/shapes.py"),
        language="python",
        about="two files, arguments, an exit code of its own",
        verdict=Verdict.NONZERO_EXIT,
        exit_code=3,
        says="circle: 0.79",
        args=("3", "square", "circle"),
    ),
    Case(
        files=("word_count.c",),
        language="c",
        about="counts its stdin",
        verdict=Verdict.OK,
        exit_code=0,
        says="2 lines, 6 words, 27 bytes",
        stdin="one fish two fish\nred fish\n",
    ),
    Case(
        files=("regression.py",),
        language="python",
        about="fits a line and draws it",
        verdict=Verdict.OK,
        exit_code=0,
        says="over 40 points",
    ),
    Case(
        files=("compile_error.cpp",),
        language="cpp",
        about="does not compile",
        verdict=Verdict.COMPILE_ERROR,
        exit_code=None,
        says="undeclared",
    ),
    Case(
        files=("endless_loop.py",),
        language="python",
        about="never ends by itself",
        verdict=Verdict.CPU_LIMIT,
        exit_code=137,
        limits=Limits(cpu_s=1.0),
    ),
    Case(
        files=("memory_hog.py",),
        language="python",
        about="takes all memory",
        verdict=Verdict.MEMORY_LIMIT,
        exit_code=137,
        says="holding 64 MiB",
        limits=Limits(memory_bytes=128 * MIB, cpu_s=5.0),
    ),
    Case(
        files=("output_flood.py",),
        language="python",
        about="writes without end",
        verdict=Verdict.OUTPUT_LIMIT,
        exit_code=137,
        says="all work and no play",
    ),
    Case(
        files=("fork_bomb.py",),
        language="python",
        about="forks without end",
        verdict=Verdict.PROCESS_LIMIT,
        exit_code=1,
        says="no more processes",
        limits=Limits(processes=32, cpu_s=5.0),
    ),
)
