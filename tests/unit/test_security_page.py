"""SECURITY.md names what exists: each layer's code, each attack's test, and every attack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from tests.sandbox.corpus import ATTACKS, ATTACKS_DIR
from tests.sandbox.mechanisms import DEFENCES

from dcodex_shared.guarantees import DISPENSABLE

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "SECURITY.md").read_text()
#: What attacks are made of, and no attacks themselves.
PARTS = frozenset(("probe.py", "probe.h", "fake_tool.sh", "shadow_stdio.h"))
FILES = frozenset(path.name for path in ATTACKS_DIR.iterdir() if path.is_file()) - PARTS


def _names(heading: str) -> Iterator[str]:
    """What the last column of the table below a heading has in backticks."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    assert rows, heading
    for row in rows:
        yield from re.findall(r"`([^`]+)`", row.rstrip("| ").rpartition(" | ")[2])


@pytest.mark.parametrize("name", sorted(set(_names("Layers"))))
def test_the_code_of_a_layer_exists(name: str) -> None:
    assert list((REPOSITORY / "worker/dcodex_worker").rglob(name)), name


@pytest.mark.parametrize("name", sorted(set(_names("Attack class, layer, test"))))
def test_the_test_of_an_attack_exists(name: str) -> None:
    exists = (REPOSITORY / name).exists() if "/" in name else _attacks(name)
    assert exists, name


def test_every_attack_stands_on_the_page() -> None:
    told = {file for name in _names("Attack class, layer, test") for file in _attacks(name)}
    assert told == FILES


def test_every_attack_is_run_by_a_test() -> None:
    run = {attack.file for attack in ATTACKS}
    run |= {defence.job.file for defence in DEFENCES}
    run |= {defence.job.neighbour for defence in DEFENCES}
    text = "".join(path.read_text() for path in (REPOSITORY / "tests/sandbox").glob("test_*.py"))
    assert not {file for file in FILES - run if file not in text}


def test_what_can_be_done_without_is_named() -> None:
    for name in DISPENSABLE:
        assert f"`{name}`" in PAGE


def _attacks(pattern: str) -> set[str]:
    return {file for file in FILES if fnmatch(file, pattern)}
