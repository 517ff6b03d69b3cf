"""How the next program is foreseen to begin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_worker.runtimes.openings import USUAL, fits, foresee, opening

INCLUDES = (b"#include <stdio.h>\n", b"#include <math.h>\n", b"# include\t<vector> \n")
OTHERS = (b"\n", b"int x;\n", b"// words\n", b"#include <mine.h>\n", b"#define N 1\n")
TEXTS = st.lists(st.sampled_from(INCLUDES + OTHERS), max_size=8).map(b"".join)


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        (b"#include <stdio.h>\nint main(void) {}\n", b"#include <stdio.h>\n"),
        (b"\n#include <stdio.h>\n\n#include <math.h>\n\nint x;\n#include <time.h>\n", None),
        (b"#include <stdio.h>\n#define N 1\n#include <math.h>\n", b"#include <stdio.h>\n"),
        (b"#include <stdio.h>", b""),
        (b"#include <stdio.h>\r\n", b""),
        (b"#include <stdio.h> // why\n", b""),
        (b"#include <stdio.h>\\\n\n", b""),
        (b"// words\n#include <stdio.h>\n", b""),
        (b"#define _GNU_SOURCE\n#include <stdio.h>\n", b""),
        (b'#include "stdio.h"\n', b""),
        (b"#include </dev/zero>\n", b""),
        (b"#include <../../dev/stdin>\n", b""),
        (b"#include <numpy.h>\n", b""),
        (b"\xef\xbb\xbf#include <stdio.h>\n", b""),
        (b"", b""),
    ],
)
def test_an_opening_is_the_usual_headers_that_a_text_begins_with(
    text: bytes, begins: bytes | None
) -> None:
    expected = text[: text.index(b"\nint x;")] if begins is None else begins
    assert opening(text) == expected


def test_an_opening_has_room_where_compilers_hold_it() -> None:
    assert len(opening(b"#include <stdio.h>\n" * 1000)) <= 4096


@given(TEXTS, TEXTS)
def test_what_is_foreseen_is_an_opening_that_the_last_program_fits(
    before: bytes, last: bytes
) -> None:
    foreseen = foresee(opening(before), opening(last))
    assert opening(foreseen) == foreseen
    assert fits(foreseen, last, [last])
    assert bool(foreseen) == bool(opening(last))


def test_what_two_programs_share_is_foreseen() -> None:
    usual = USUAL["c"]
    longer = usual + b"#include <math.h>\n"
    assert foresee(usual, longer) == foresee(longer, usual) == usual
    assert foresee(longer, longer) == longer
    assert foresee(usual, b"#include <math.h>\n") == b"#include <math.h>\n"
    assert foresee(longer, b"") == b""


@pytest.mark.parametrize("language", USUAL)
def test_what_is_foreseen_first_is_an_opening(language: str) -> None:
    assert opening(USUAL[language]) == USUAL[language]


@pytest.mark.parametrize(
    "rest",
    [
        b"#pragma GCC optimize(3)\nint x;\n",
        b'  #  pragma   GCC target("avx2")\n',
        b'_Pragma("GCC optimize(3)") int x;\n',
        b"__attribute__((hot, optimize(3))) int f(void);\n",
        b"__attribute((__target__(3))) int f(void);\n",
        b"[[gnu::optimize(3)]] int f();\n",
        b"[[using gnu: optimize(3)]] int f();\n",
        b"# import <stdio.h>\n",
        b"const char *when = __TIMESTAMP__;\n",
        b"#define X \\\n",
        b"#define X \\ \n\n",
        b"int x; ??/\n",
    ],
)
def test_a_compiler_that_has_begun_may_be_too_late(rest: bytes) -> None:
    text = USUAL["c"] + rest
    assert not fits(USUAL["c"], text, [text])
    assert fits(b"", text, [text])


@pytest.mark.parametrize(
    "rest",
    [
        b"int target = 1, optimize = 2;\n",
        b"__attribute__((noinline)) int f(void) { int target = 0; return target; }\n",
        b"#pragma once\n#pragma pack(1)\n#pragma GCC diagnostic push\n",
        b"int import(void);",
        b"#define X \\\n 1\n",
    ],
)
def test_what_only_looks_alike_may_go_on(rest: bytes) -> None:
    text = USUAL["c"] + rest
    assert fits(USUAL["c"], text, [text])


def test_every_file_is_looked_at() -> None:
    text = USUAL["c"] + b'#include "mine.h"\n'
    assert fits(USUAL["c"], text, [text, b"int x;\n"])
    assert not fits(USUAL["c"], text, [text, b"#pragma GCC optimize(3)\n"])


def test_another_beginning_does_not_fit() -> None:
    assert not fits(USUAL["c"], b"\n" + USUAL["c"], [])
