"""Which languages there are: names, aliases, extensions. Hosts find out which they can run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """One language as users name it."""

    #: Canonical, lower case; the value of metric labels and queue names.
    name: str
    aliases: tuple[str, ...]
    #: The extensions that mean this language; the first is the one of `default_file`.
    extensions: tuple[str, ...]
    #: What a request's single `source` is stored as.
    default_file: str
    compiled: bool


LANGUAGES: tuple[Language, ...] = (
    Language("python", ("py", "python3"), (".py",), "main.py", compiled=False),
    Language("c", (), (".c",), "main.c", compiled=True),
    Language("cpp", ("c++", "cxx", "cc"), (".cpp", ".cc", ".cxx"), "main.cpp", compiled=True),
)

BY_NAME: dict[str, Language] = {
    alias: language for language in LANGUAGES for alias in (language.name, *language.aliases)
}


def find(name: str) -> Language | None:
    """The language that a name, an alias (in any case) or a file name's extension means."""
    language = BY_NAME.get(name.lower())
    if language is not None:
        return language
    for candidate in LANGUAGES:
        if name.lower().endswith(candidate.extensions):
            return candidate
    return None
