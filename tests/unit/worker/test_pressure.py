"""Reading how the machine fares."""

from __future__ import annotations

from pathlib import Path

from dcodex_worker.pressure import (
    UNKNOWN,
    look,
    own_headroom,
    parse_available,
    parse_pressure,
)

PSI = (
    "some avg10=12.50 avg60=3.00 avg300=1.00 total=123\n"
    "full avg10=99.00 avg60=0.00 avg300=0.00 total=1\n"
)


def test_pressure_is_the_share_in_which_some_task_waited() -> None:
    assert parse_pressure(PSI) == 0.125
    assert parse_pressure("") == UNKNOWN


def test_available_memory_is_in_bytes() -> None:
    assert parse_available("MemTotal: 9 kB\nMemAvailable:   2048 kB\n") == 2048 * 1024
    assert parse_available("") == 0


def test_a_cgroup_without_a_limit_sets_none() -> None:
    assert own_headroom("max\n", "5\n") is None
    assert own_headroom("", "") is None
    assert own_headroom("100\n", "30\n") == 70
    assert own_headroom("100\n", "130\n") == 0


def test_the_tighter_of_machine_and_cgroup_counts(tmp_path: Path) -> None:
    (tmp_path / "pressure").mkdir()
    (tmp_path / "pressure/cpu").write_text(PSI)
    (tmp_path / "meminfo").write_text("MemAvailable: 1000 kB\n")
    (tmp_path / "memory.max").write_text("500000\n")
    (tmp_path / "memory.current").write_text("100000\n")
    seen = look(proc=tmp_path, cgroups=tmp_path)
    assert seen.memory_available_bytes == 400000
    assert seen.cpu == 0.125
    assert seen.memory == UNKNOWN
