"""What Prometheus scrapes from a real farm, and whether alerts speak of what is there."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import dcodex
from dcodex.testing import Farm, quiet_flags

ALERTS = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"
PATIENCE_S = 30.0


def free_base_port() -> int:
    """A port with two free ones after it."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            base = int(probe.getsockname()[1])
        try:
            for port in (base + 1, base + 2):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base


@pytest.fixture(scope="module")
def pages() -> Iterator[dict[str, str]]:
    """/metrics of each process after some work, in the order of the ports."""
    base = free_base_port()
    with Farm(*quiet_flags(2), f"--metrics_port={base}") as farm:
        with dcodex.connect(farm.target) as client:
            for _ in range(2):
                client.run("print('metrics')")
            client.run("raise SystemExit(1)")
            with pytest.raises(dcodex.InvalidRequest):
                client.run("x", language="cobol")
        yield {
            name: fetch(base + offset)
            for offset, name in enumerate(("gateway", "coordinator", "worker"))
        }


def fetch(port: int, path: str = "/metrics") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_S) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize("name", ["gateway", "coordinator", "worker"])
def test_promtool_finds_nothing_to_say(pages: dict[str, str], name: str) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is missing: apt-get install prometheus")
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=pages[name],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_work_is_counted(pages: dict[str, str]) -> None:
    coordinator = pages["coordinator"]
    assert re.search(r'dcodex_executions_total\{.*verdict="ok".*\} [1-9]', coordinator, re.I)
    assert re.search(r'dcodex_executions_total\{.*verdict="nonzero_exit".*\} 1', coordinator, re.I)
    assert re.search(r"dcodex_cache_hits_total 1", coordinator)
    assert re.search(r'dcodex_queue_wait_seconds_count\{language="python"\} [1-9]', coordinator)
    assert re.search(r"dcodex_workers\{.*\} [12]", coordinator)
    assert "dcodex_sandbox_arming_seconds_count" in pages["worker"]


def test_every_metric_that_an_alert_names_is_there(pages: dict[str, str]) -> None:
    expressions = "\n".join(
        line for line in ALERTS.read_text().splitlines() if "runbook:" not in line
    )
    named = set(re.findall(r"\b(dcodex_[a-z_]+)", expressions))
    shown = "\n".join(pages.values())
    families = set(re.findall(r"^# TYPE (dcodex_[a-z_]+) ", shown, re.M))
    assert named
    for name in named:
        assert name in families or name.removesuffix("_bucket") in families, name
