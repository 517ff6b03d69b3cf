"""The metrics of a coordinator that has done something, as promtool sees them."""

from __future__ import annotations

import shutil
import subprocess
import threading

import pytest
from prometheus_client import generate_latest
from tests.unit.coordinator.conftest import Farm

from dcodex_coordinator.metrics import registry
from dcodex_shared.messages import Cancel, Verdict, WorkerExited


@pytest.fixture
def text() -> str:
    farm = Farm()
    worker = farm.worker()
    farm.submit(cache_key=b"k")
    farm.finish(worker, "e1")
    farm.submit(cache_key=b"k")
    farm.submit(language="c")
    farm.submit(language="cobol")
    farm.say(b"gateway", Cancel("e3", "bored"))
    farm.finish(worker, "e3", Verdict.CANCELLED)
    farm.say(b"host", WorkerExited(worker.decode(), "killed"))
    farm.machine.count_dropped("unreadable")
    return generate_latest(registry(farm.machine, threading.Lock())).decode()


def test_promtool_finds_nothing_to_say(text: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=30
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "line",
    [
        'dcodex_leases_total{armed="warm",language="python"} 1.0',
        'dcodex_leases_total{armed="cold",language="c"} 1.0',
        'dcodex_executions_total{language="python",verdict="ok"} 1.0',
        'dcodex_queue_wait_seconds_count{language="python"} 1.0',
        "dcodex_cache_hits_total 1.0",
        'dcodex_requests_refused_total{reason="unavailable"} 1.0',
        'dcodex_workers_lost_total{reason="exited"} 1.0',
        'dcodex_messages_dropped_total{reason="unreadable"} 1.0',
        "dcodex_workers_desired 1.0",
    ],
)
def test_the_figures_are_those_of_what_happened(line: str, text: str) -> None:
    assert line in text.splitlines()
