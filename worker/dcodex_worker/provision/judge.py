"""What is to be thought of a runtime: facts in, findings out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dcodex_shared.findings import Finding

#: Names that a line shows of many.
SHOWN = 5
_MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading one module came to."""

    name: str
    version: str
    seconds: float
    #: What it added to the process's resident memory.
    memory_bytes: int
    #: Modules without byte-code that is up to date.
    uncompiled: int
    #: Why it cannot be preloaded; empty: it can.
    complaint: str


@dataclass(frozen=True, slots=True)
class Template:
    """What a template with these modules would be."""

    name: str
    loaded: tuple[Loaded, ...]
    #: Resident with everything loaded.
    memory_bytes: int
    #: Why its interpreter did not come to the end; empty: it did.
    failure: str
    #: Why it was not loaded where programs are, as a user like theirs; empty: it was.
    outside: str


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a runtime, by their paths below it."""

    count: int
    #: Others than the owner and root may write these.
    writable: tuple[str, ...]
    #: Programs cannot read these.
    unreadable: tuple[str, ...]
    #: An installed package has these in its list, and they are gone or of another size.
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found out about a runtime."""

    #: Of the interpreter now, and of the one that it was made with: "3.11.2".
    version: str
    made_for: str
    #: The interpreter's file, links followed.
    interpreter: str
    #: Modules to preload that are not installed.
    absent: tuple[str, ...]
    #: (name, version) of every installed package.
    packages: tuple[tuple[str, str], ...]
    templates: tuple[Template, ...]
    files: Files


def judge(facts: Facts, standard: Sequence[str]) -> list[Finding]:
    """What an operator should know.

    standard: modules of Python's own that every template has.
    """
    findings = [_interpreter(facts)]
    for template in facts.templates:
        findings += [
            _module(loaded)
            for loaded in template.loaded
            if loaded.complaint or loaded.name not in standard
        ]
        findings.append(_template(template, standard))
    findings += [_byte_code(facts.templates), *_packages(facts), *_files(facts.files)]
    for reason in {template.outside for template in facts.templates if template.outside}:
        text = f"not loaded as programs see it: {reason}"
        remedy = "run this as root, with the rights that `dcodex doctor` asks for"
        findings.append(Finding("view", False, False, text, remedy))
    return findings


def _interpreter(facts: Facts) -> Finding:
    text = f"{facts.version} at {facts.interpreter}"
    ok = _minor(facts.version) == _minor(facts.made_for)
    if not ok:
        text += f", but the packages are for {facts.made_for}"
    return Finding("interpreter", ok, True, text, "make it anew (--replace)")


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]


def _module(loaded: Loaded) -> Finding:
    cost = f"{loaded.seconds * 1000:.0f} ms, {loaded.memory_bytes / _MB:.1f} MB"
    text = f"{loaded.version or 'no version'}, {cost}"
    remedy = "install another version of it, or leave it out of --preload"
    return Finding(loaded.name, not loaded.complaint, True, loaded.complaint or text, remedy)


def _template(template: Template, standard: Sequence[str]) -> Finding:
    names = [loaded.name for loaded in template.loaded if loaded.name not in standard]
    seconds = sum(loaded.seconds for loaded in template.loaded)
    text = (
        f"{' '.join(['standard library', *names])}: "
        f"{seconds * 1000:.0f} ms, {template.memory_bytes / _MB:.1f} MB"
    )
    remedy = "make it anew (--replace), without the module that is named above, if one is"
    return Finding(template.name, not template.failure, True, template.failure or text, remedy)


def _byte_code(templates: Sequence[Template]) -> Finding:
    count = sum(loaded.uncompiled for template in templates for loaded in template.loaded)
    if not count:
        return Finding("byte-code", True, False, "up to date")
    return Finding(
        "byte-code",
        False,
        False,
        f"{count} of the modules that were loaded are compiled anew at each start",
        "make it anew (--replace), or copy it with its times (cp -a, rsync -a)",
    )


def _packages(facts: Facts) -> list[Finding]:
    preloaded = {loaded.name for template in facts.templates for loaded in template.loaded}
    others = [
        f"{name} {version}"
        for name, version in facts.packages
        if name.lower().replace("-", "_") not in preloaded
    ]
    findings = []
    if others:
        text = f"{', '.join(others)}: installed, not in --preload"
        findings.append(Finding("others", True, False, text))
    if facts.absent:
        text = f"{', '.join(facts.absent)}: in --preload, not installed, so passed over"
        findings.append(Finding("absent", True, False, text))
    return findings


def _files(files: Files) -> list[Finding]:
    problems = (
        (files.writable, "others may write", "chmod -R go-w, once you know what they hold"),
        (files.unreadable, "programs cannot read", "chmod -R go+rX"),
        (files.broken, "gone or of another size:", "make it anew (--replace)"),
    )
    findings = [
        Finding("files", False, True, f"{len(paths)} {text} {_some(paths)}", remedy)
        for paths, text, remedy in problems
        if paths
    ]
    return findings or [Finding("files", True, True, f"{files.count}, all whole and in order")]


def _some(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:SHOWN])
    return f"{shown}, ..." if len(paths) > SHOWN else shown
