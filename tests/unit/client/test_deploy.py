"""What an operator copies from deploy/ is whole and accepted by the tools that read it."""

from __future__ import annotations

import argparse
import configparser
import dataclasses
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import dcodex_coordinator.process
import dcodex_gateway.process
from dcodex.command import up
from dcodex.doctor import live
from dcodex_shared.config import (
    CommonSettings,
    CoordinatorSettings,
    GatewaySettings,
    WorkerSettings,
    known_keys,
    load,
)

DEPLOY = Path(__file__).parents[3] / "deploy"
RUNBOOK = (DEPLOY / "RUNBOOK.md").read_text()
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PATIENCE_S = 30.0


def test_the_example_configuration_has_every_key_and_no_other() -> None:
    with (DEPLOY / "dcodex.toml").open("rb") as file:
        assert set(tomllib.load(file)) == set(known_keys())


@pytest.mark.parametrize("settings", [GatewaySettings, CoordinatorSettings, WorkerSettings])
def test_the_example_configuration_says_what_the_defaults_are(
    settings: type[CommonSettings],
) -> None:
    flags = argparse.Namespace(config=str(DEPLOY / "dcodex.toml"))
    from_file = load(settings, flags, {})
    by_default = load(settings, argparse.Namespace(), {})
    assert dataclasses.asdict(from_file) == dataclasses.asdict(by_default)


def test_there_is_a_unit_for_each_process() -> None:
    assert [unit.stem for unit in UNITS] == [
        "dcodex-coordinator",
        "dcodex-gateway",
        "dcodex-worker",
    ]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_its_process_and_gives_it_time_to_drain(unit: Path) -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # as configparser documents
    parser.read(unit)
    service = parser["Service"]
    command = service["ExecStart"].split()
    assert command[:2] == ["/opt/dcodex/.venv/bin/dcodex", unit.stem.removeprefix("dcodex-")]
    assert int(service["TimeoutStopSec"]) > WorkerSettings().drain_grace
    assert service["RestartPreventExitStatus"] == "2"
    if unit.stem == "dcodex-worker":
        assert service["Delegate"]
        assert service["OOMPolicy"] == "continue"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_understands_each_unit(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: apt-get install systemd")
    # The command of an installed farm is not there where this runs.
    text = unit.read_text().replace("/opt/dcodex/.venv/bin/dcodex", "/bin/true")
    copy = tmp_path / unit.name
    copy.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, timeout=PATIENCE_S
    )
    ours = [line for line in done.stderr.splitlines() if unit.name.encode() in line]
    assert (done.returncode, ours) == (0, [])


def test_prometheus_accepts_scrape_configuration_and_alerts() -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is missing: apt-get install prometheus")
    done = subprocess.run(
        ["promtool", "check", "config", str(DEPLOY / "prometheus" / "prometheus.yml")],
        capture_output=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr + done.stdout


def alerts() -> dict[str, str]:
    """The text of each alert by its name."""
    text = (DEPLOY / "prometheus" / "alerts.yml").read_text()
    return {part.partition("\n")[0].strip(): part for part in text.split("- alert: ")[1:]}


def test_every_alert_says_what_to_do() -> None:
    for name, text in alerts().items():
        for annotation in ("summary", "runbook", "runbook_url"):
            assert text.count(f"{annotation}: ") == 1, name


def test_every_alerts_runbook_is_there_and_has_no_section_too_many() -> None:
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOK, re.M | re.S))
    assert alerts()
    for name, text in alerts().items():
        (url,) = re.findall(r'runbook_url: "(.*)"', text)
        path, _, anchor = url.partition("#")
        assert DEPLOY.parent / path == DEPLOY / "RUNBOOK.md"
        # As renderers of Markdown make anchors of headings.
        assert anchor in {section.lower() for section in sections}, name
        assert anchor == name.lower()
    assert set(sections) == set(alerts())
    assert all(len(words.split()) > 15 for words in sections.values())


def test_the_runbook_speaks_of_metrics_settings_and_units_that_are_there() -> None:
    families = (Path(__file__).parents[3]).glob("*/dcodex_*/**/*.py")
    code = "\n".join(path.read_text() for path in families)
    for metric in re.findall(r"\bdcodex_[a-z_]+", RUNBOOK):
        # A family's prefix and a counter's ending are put on where it is served.
        bare = metric.removesuffix("_total").removeprefix("dcodex_gateway_")
        assert bare in code, metric
    for unit in re.findall(r"journalctl -u (\S+?)[`\s]", RUNBOOK):
        assert unit in {path.stem for path in UNITS}
    for message in ("check the keys", "turned a peer away", "could not arm", "worker lost"):
        assert message in RUNBOOK
        assert message in code


def test_the_statuses_that_processes_end_with_are_those_that_are_documented() -> None:
    documented = {int(n) for n in re.findall(r"^\| (\d) \|", RUNBOOK, re.M)}
    used = {
        dcodex_gateway.process.EXIT_PORT,
        dcodex_gateway.process.EXIT_CONFIG,
        dcodex_coordinator.process.EXIT_PORT,
        dcodex_coordinator.process.EXIT_CONFIG,
        up.EXIT_FAILED,
        up.EXIT_USAGE,
        0,
    }
    assert documented == used
    for number in (live.EXIT_UNFIT, live.EXIT_USAGE, live.EXIT_INTERRUPTED):
        assert re.search(rf"^ +{number} ", live._EXAMPLES, re.M)
