"""What callers ask for, and what is the only right answer (pure).

Each job computes something from a nonce of its own, so that an answer meant for somebody else,
an old one or a part of one is never taken for right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from random import Random

#: No limit of a job's own shall end it on a machine where everything is stopped for seconds.
CPU_S = 20.0
WALL_S = 60.0
_MASK = (1 << 64) - 1


class Manner(Enum):
    """How a job is asked for."""

    #: One call, one answer.
    RUN = "run"
    #: A stream that is read to its end.
    STREAM = "stream"
    #: A stream in which each line is sent after the answer to the last.
    TALK = "talk"
    #: A stream that its caller leaves after the first output.
    CANCEL = "cancel"
    #: A call with a deadline that the program does not meet.
    DEADLINE = "deadline"
    #: Two calls with one execution id.
    TWICE = "twice"


@dataclass(frozen=True, slots=True)
class Job:
    """One program and its right answer."""

    kind: str
    manner: Manner
    language: str
    source: str
    args: tuple[str, ...]
    #: Lines of a TALK.
    lines: tuple[str, ...]
    #: All of its stdout; of a TALK, of all lines together; empty for CANCEL, DEADLINE and TWICE.
    stdout: bytes
    exit_code: int
    output_bytes: int = 64 * 1024


_PYTHON = """\
import hashlib, sys
nonce = sys.argv[1]
digest = nonce.encode()
for _ in range(300):
    digest = hashlib.sha256(digest).digest()
print(nonce, digest.hex())
sys.exit(int(sys.argv[2]))
"""

_C = """\
#include <stdio.h>
#include <stdlib.h>
/* %s */
int main(int argc, char **argv) {
    unsigned long long x = strtoull(argv[1], NULL, 10);
    for (int i = 0; i < 50; i++) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        printf("%%llu\\n", x);
    }
    return atoi(argv[2]);
}
"""

_CPP = """\
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <vector>
int main(int argc, char **argv) {
    unsigned long long x = std::strtoull(argv[1], nullptr, 10);
    std::vector<unsigned long long> all;
    for (int i = 0; i < 50; i++) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        all.push_back(x);
    }
    std::sort(all.begin(), all.end());
    for (auto each : all) std::cout << each << '\\n';
    return std::atoi(argv[2]);
}
"""

_STREAM = """\
import sys
for number in range(int(sys.argv[2])):
    print(sys.argv[1], number, 'x' * (number % 97))
"""

_TALK = """\
import hashlib, sys
for line in sys.stdin:
    print(hashlib.sha256((sys.argv[1] + line.rstrip()).encode()).hexdigest(), flush=True)
"""

_SLEEPER = "import time\nprint('on', flush=True)\ntime.sleep(50)\n"

_CHANCE = "import os, sys\nprint(sys.argv[1], os.urandom(16).hex())\n"


def draw(rng: Random) -> Job:
    """A job at random."""
    makers: tuple[Callable[[Random], Job], ...] = (
        _python,
        _c,
        _compiled_anew,
        _cpp,
        _stream,
        _talk,
        _cancel,
        _deadline,
        _twice,
    )
    return rng.choices(makers, (12, 4, 1, 3, 4, 4, 2, 1, 2))[0](rng)


def _python(rng: Random) -> Job:
    nonce, code = _nonce(rng), rng.choice((0, 0, 0, 7, 200))
    digest = nonce.encode()
    for _ in range(300):
        digest = hashlib.sha256(digest).digest()
    out = f"{nonce} {digest.hex()}\n".encode()
    return Job("python", Manner.RUN, "python", _PYTHON, (nonce, str(code)), (), out, code)


def _c(rng: Random) -> Job:
    nonce, code = _nonce(rng), rng.choice((0, 0, 0, 3))
    return Job("c", Manner.RUN, "c", _C % "", (nonce, str(code)), (), _lines(_chain(nonce)), code)


def _compiled_anew(rng: Random) -> Job:
    nonce = _nonce(rng)
    out = _lines(_chain(nonce))
    return Job("c_compile", Manner.RUN, "c", _C % nonce, (nonce, "0"), (), out, 0)


def _cpp(rng: Random) -> Job:
    nonce, code = _nonce(rng), rng.choice((0, 0, 0, 9))
    out = _lines(sorted(_chain(nonce)))
    return Job("cpp", Manner.STREAM, "cpp", _CPP, (nonce, str(code)), (), out, code)


def _stream(rng: Random) -> Job:
    nonce, count = _nonce(rng), rng.choice((10, 100, 5000))
    out = "".join(f"{nonce} {number} {'x' * (number % 97)}\n" for number in range(count)).encode()
    args = (nonce, str(count))
    return Job("stream", Manner.STREAM, "python", _STREAM, args, (), out, 0, len(out) + 1)


def _talk(rng: Random) -> Job:
    nonce = _nonce(rng)
    lines = tuple(_nonce(rng) for _ in range(5))
    answers = (hashlib.sha256((nonce + line).encode()).hexdigest() for line in lines)
    out = "".join(f"{answer}\n" for answer in answers).encode()
    return Job("talk", Manner.TALK, "python", _TALK, (nonce,), lines, out, 0)


def _cancel(_: Random) -> Job:
    return Job("cancel", Manner.CANCEL, "python", _SLEEPER, (), (), b"", 0)


def _deadline(_: Random) -> Job:
    return Job("deadline", Manner.DEADLINE, "python", _SLEEPER, (), (), b"", 0)


def _twice(rng: Random) -> Job:
    return Job("twice", Manner.TWICE, "python", _CHANCE, (_nonce(rng),), (), b"", 0)


def _nonce(rng: Random) -> str:
    return str(rng.getrandbits(60))


def _chain(nonce: str) -> list[int]:
    value, values = int(nonce), []
    for _ in range(50):
        value = (value * 6364136223846793005 + 1442695040888963407) & _MASK
        values.append(value)
    return values


def _lines(values: list[int]) -> bytes:
    return "".join(f"{value}\n" for value in values).encode()
