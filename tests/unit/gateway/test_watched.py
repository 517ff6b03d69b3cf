"""Files that are read again when they change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dcodex_gateway import watched
from dcodex_gateway.watched import Watched
from dcodex_shared.config import ConfigError


@pytest.fixture(autouse=True)
def _look_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "INTERVAL_S", -1.0)


def number(path: Path) -> int:
    try:
        return int(path.read_text())
    except ValueError:
        raise ConfigError("not a number") from None


def test_a_changed_file_is_a_new_value_and_a_bad_one_keeps_the_old(tmp_path: Path) -> None:
    path = tmp_path / "value"
    path.write_text("1")
    held = Watched([str(path)], lambda: number(path))
    assert (held.get(), held.version) == (1, 0)
    path.write_text("22")
    assert (held.get(), held.version) == (22, 1)
    path.write_text("bad")
    assert (held.get(), held.version) == (22, 1)
    path.unlink()
    assert held.get() == 22
    replacement = tmp_path / "new"
    replacement.write_text("333")
    os.replace(replacement, path)
    assert (held.get(), held.version) == (333, 2)


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "value"
    path.write_text("1")
    reads = []
    held = Watched([str(path)], lambda: reads.append(1))
    for _ in range(10):
        held.get()
    assert len(reads) == 1


def test_a_file_that_is_missing_or_bad_at_first_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "value"
    with pytest.raises(ConfigError, match="cannot read"):
        Watched([str(path)], lambda: number(path))
    path.write_text("bad")
    with pytest.raises(ConfigError, match="not a number"):
        Watched([str(path)], lambda: number(path))
