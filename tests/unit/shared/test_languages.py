"""Names, aliases and extensions."""

from __future__ import annotations

import pytest

from dcodex_shared.languages import find


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("python", "python"),
        ("PY", "python"),
        ("python3", "python"),
        ("solution.py", "python"),
        ("c", "c"),
        ("a/b.c", "c"),
        ("C++", "cpp"),
        ("cpp", "cpp"),
        ("main.cc", "cpp"),
        ("MAIN.CPP", "cpp"),
    ],
)
def test_a_name_an_alias_and_an_extension_mean_a_language(name: str, canonical: str) -> None:
    language = find(name)
    assert language is not None
    assert language.name == canonical


@pytest.mark.parametrize("name", ["", "cobol", "py.txt", ".", "java"])
def test_other_words_mean_none(name: str) -> None:
    assert find(name) is None
