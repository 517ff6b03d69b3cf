"""Which precompiled header fits which program."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_worker.runtimes.headers import (
    WANTED,
    Precompiled,
    candidates,
    first_include,
    options_that_matter,
)

NAMES = st.sampled_from(sorted({wanted.header for wanted in WANTED}))
SPACES = st.text(" \t\f\v", max_size=3)
NEWLINES = st.sampled_from(("\n", "\r\n"))
#: What may stand before the first #include without changing what the compiler takes.
HARMLESS = st.lists(
    st.sampled_from(
        (
            "\n",
            "\r\n",
            "  \t",
            "// words, with #include <nothing> and \\ in them\n",
            "/* words\n   #include <nothing> */",
            "/***/",
            "#define N 100\n",
            "#define LONG \\\n  int\n",
            "#  define SPACED 1\r\n",
            "#undef N\n",
            "#ifndef GUARD\n",
            "#if defined(X) && 1 // why\n",
            "#endif\n",
            "#pragma once\n",
        )
    ),
    max_size=8,
).map(lambda parts: "".join(part if part[0] != "#" else "\n" + part for part in parts))
#: What the compiler would have read before the #include, or may have changed its state by.
HARMFUL = st.sampled_from(
    (
        "int x;\n",
        ";",
        '#pragma GCC optimize("O3,unroll-loops")\n',
        '#pragma GCC target("avx2")\n',
        "#pragma pack(1)\n",
        '_Pragma("once")\n',
        "#line 100\n",
        "#error no\n",
        "#include MACRO\n",
        "#include_next <vector>\n",
        "#import <vector>\n",
        '#define TEXT R"(\n#include <vector>\n)"\n',
        "#define OPEN /*\n*/ 1\n",
        "// goes on \\\n",
        "// goes on \\ \t\n",
        "// goes on ??/\n",
        "#define GOES_ON \\\\\\\n",
        'R"(\n',
        "%:define X\n",
        "??=define X\n",
        "#\n",
        "\\\n",
        "'\"'",
        "/* never closed\n",
        "\0",
    )
)


@given(HARMLESS, SPACES, SPACES, NAMES, NEWLINES, st.booleans(), st.booleans())
def test_comments_conditions_and_definitions_may_come_first(
    before: str, one: str, two: str, name: str, newline: str, quoted: bool, marked: bool
) -> None:
    one, two = one.replace("\f", " ").replace("\v", " "), two.replace("\f", " ").replace("\v", " ")
    written = f'"{name}"' if quoted else f"<{name}>"
    text = f"{before}{newline}#{one}include{two}{written}{newline}int main() {{}}"
    source = (b"\xef\xbb\xbf" if marked else b"") + text.encode()
    assert first_include(source) == name


@given(HARMLESS, HARMFUL, NAMES)
def test_nothing_else_may_come_first(before: str, harm: str, name: str) -> None:
    assert first_include(f"{before}\n{harm}#include <{name}>\n".encode()) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_looked_at_without_harm(source: bytes) -> None:
    name = first_include(source)
    assert name is None or name.encode() in source


@pytest.mark.parametrize(
    "text",
    [b"/*" + b"x" * 2_000_000, b"//" + b"\\" * 2_000_000, b"#if\n" * 500_000, b" " * 2_000_000],
)
@pytest.mark.timeout(5)
def test_a_text_made_to_take_long_is_given_up_soon(text: bytes) -> None:
    for _ in range(20):
        assert first_include(text + b"\n#include <map>\n") is None


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((), ()),
        (("-O2",), ("-O2",)),
        (("-O2", "-std=c++17"), ("-std=c++17", "-O2")),
        (("-O3", "-O0"), ()),
        (("-Wall", "-Wextra", "-Wno-unused", "-Werror=return-type", "-w"), ()),
        (("-DLOCAL", "-DN=100", "-UN", "-lm", "-s"), ()),
    ],
)
def test_options_are_known_by_what_they_change(
    arguments: tuple[str, ...], options: tuple[str, ...]
) -> None:
    assert options_that_matter(arguments) == options


@pytest.mark.parametrize(
    "argument",
    [
        *(
            "-g",
            "-fno-exceptions",
            "-fopenmp",
            "-march=native",
            "-pthread",
            "-Iinclude",
            "-include",
        ),
        *("-Wsystem-headers", "-Winvalid-pch", "-Wl,-s", "-Wp,-DX", "-Wa,-x", "-pedantic", "-D"),
        *("-Wpedantic", "-x", "c", "@file", "other.cpp", "-fsanitize=address", "--std=c++17"),
    ],
)
def test_an_option_that_is_not_understood_takes_no_header(argument: str) -> None:
    assert options_that_matter(("-O2", argument)) is None
    assert candidates((argument,), [b"#include <iostream>\n"]) == ()


def test_every_file_of_a_compile_must_begin_with_an_include() -> None:
    plain, odd = b"#include <vector>\n", b"#pragma pack(1)\n#include <vector>\n"
    assert candidates(("-O2",), [plain, b'#include "mine.h"\n']) == (
        Precompiled("vector", ("-O2",)),
        Precompiled("mine.h", ("-O2",)),
    )
    assert candidates((), [plain, odd]) == ()


def test_what_is_wanted_can_be_asked_for() -> None:
    assert len(set(WANTED)) == len(WANTED)
    for wanted in WANTED:
        source = f"#include <{wanted.header}>\n".encode()
        assert candidates(wanted.options, [source]) == (wanted,)
