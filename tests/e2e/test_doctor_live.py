"""`dcodex doctor --live` of a farm that is whole, and of farms with a part really stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.test_metrics import free_base_port

import dcodex
from dcodex.testing import STARTUP_S, STOP_S

PATIENCE_S = 60.0
PARTS = ("coordinator", "worker", "gateway")


class Parts:
    """A farm's processes, each started and stopped by itself."""

    def __init__(self, directory: Path) -> None:
        self.base = free_base_port()
        self.port = free_base_port()
        self.target = f"127.0.0.1:{self.port}"
        self.directory = directory
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        ports = {"gateway": self.base, "coordinator": self.base + 1, "worker": self.base + 2}
        own = {
            "gateway": [f"--port={self.port}"],
            "coordinator": ["--min_workers=2", "--max_workers=2"],
            "worker": ["--preload=", "--compile_cache_bytes=0"],
        }
        for name in names:
            with (self.directory / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    [
                        *(sys.executable, "-P", "-m", f"dcodex_{name}"),
                        *(f"--runtime_dir={self.directory}", f"--metrics_port={ports[name]}"),
                        *own[name],
                    ],
                    stderr=log,
                )

    def await_serving(self) -> None:
        with dcodex.connect(self.target) as client:
            for _ in range(int(STARTUP_S)):
                try:
                    client.run("print(1)", timeout_s=PATIENCE_S).check()
                except dcodex.Unavailable:
                    # Told at once where there is no coordinator yet: its log is asked, not a clock.
                    self.await_log("gateway", "languages=")
                else:
                    return
        raise AssertionError("the farm does not serve")

    def await_log(self, name: str, words: str) -> None:
        log = self.directory / f"{name}.log"
        subprocess.run(
            ["timeout", str(STARTUP_S), "sh", "-c", f"tail -n +1 -F {log} | grep -q -m1 '{words}'"],
            check=True,
            stderr=subprocess.DEVNULL,
        )

    def stop(self, name: str) -> None:
        process = self.running.pop(name)
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def doctor(self, *flags: str) -> tuple[int, dict[str, dict[str, Any]]]:
        """Its exit status and its findings by name."""
        ports = [f"--metrics=127.0.0.1:{self.base + number}" for number in range(3)]
        command = [sys.executable, "-P", "-m", "dcodex", "doctor", "--live", "--json"]
        done = subprocess.run(
            [*command, f"--target={self.target}", *ports, *flags],
            capture_output=True,
            timeout=PATIENCE_S,
        )
        assert done.stdout, done.stderr.decode()
        told = json.loads(done.stdout)
        assert told["fit"] == (done.returncode == 0)
        return done.returncode, {finding["name"]: finding for finding in told["findings"]}


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    os.chmod(tmp_path, 0o700)
    made = Parts(tmp_path)
    yield made
    for name in ("gateway", "worker", "coordinator"):
        if name in made.running:
            made.stop(name)


def missing(findings: dict[str, dict[str, Any]]) -> set[str]:
    for finding in findings.values():
        assert finding["ok"] or finding["remedy"], finding
    return {name for name, finding in findings.items() if not finding["ok"]}


def test_of_a_whole_farm_there_is_nothing_to_complain_about(parts: Parts) -> None:
    parts.start(*PARTS)
    parts.await_serving()
    status, findings = parts.doctor()
    assert (status, missing(findings)) == (0, set()), findings
    ports = {f"port {parts.base + number}" for number in range(3)}
    assert ports | {"gateway", "coordinator", "hosts", "workers", "health"} <= set(findings)
    assert {"run python", "versions", "clock"} <= set(findings)
    assert "says SERVING, and programs ran" in findings["health"]["text"]
    # A host that takes leave, in the same farm: the gateway knows, and says so.
    parts.stop("worker")
    status, findings = parts.doctor()
    assert status == 1
    assert missing(findings) == {"hosts", *ports}
    assert findings["health"]["text"] == "says NOT_SERVING, and programs could not be run"
    assert "systemctl start dcodex-worker" in findings["hosts"]["remedy"]


def test_a_coordinator_that_is_not_there_is_named(parts: Parts) -> None:
    parts.start("gateway")
    parts.await_log("gateway", "serving metrics")
    status, findings = parts.doctor()
    assert status == 1
    ports = {f"port {parts.base + number}" for number in range(3)}
    assert missing(findings) == {"coordinator", *ports}
    assert "dcodex-coordinator" in findings["coordinator"]["remedy"]
    assert "workers" not in findings


def test_a_gateway_that_is_not_there_is_named(parts: Parts) -> None:
    parts.start("coordinator")
    parts.await_log("coordinator", "ready gateways")
    status, findings = parts.doctor()
    assert status == 1
    assert "nobody answers" in findings["gateway"]["text"]
    assert "coordinator" not in findings


def test_a_gateway_that_hangs_is_named(parts: Parts) -> None:
    parts.start("gateway")
    parts.await_log("gateway", "serving metrics")
    gateway = parts.running["gateway"]
    gateway.send_signal(signal.SIGSTOP)
    try:
        status, findings = parts.doctor()
    finally:
        gateway.send_signal(signal.SIGCONT)
    assert status == 1
    assert "no gRPC came of it" in findings["gateway"]["text"]


def test_a_coordinator_that_hangs_fails_every_program_and_the_health_that_denies_it(
    parts: Parts,
) -> None:
    parts.start(*PARTS)
    parts.await_serving()
    coordinator = parts.running["coordinator"]
    coordinator.send_signal(signal.SIGSTOP)
    try:
        status, findings = parts.doctor()
    finally:
        coordinator.send_signal(signal.SIGCONT)
    assert status == 1
    assert "coordinator" in missing(findings)


def test_settings_keys_and_certificates_that_are_wrong_are_named(
    parts: Parts, tmp_path: Path
) -> None:
    config = tmp_path / "dcodex.toml"
    config.write_text('key_file = "/nowhere/a.key"\ncoordinator_key = "/nowhere/b.pub"\n')
    _, findings = parts.doctor(f"--config={config}")
    assert "cannot read /nowhere/a.key" in findings["keys"]["text"]
    config.write_text("pot = 1\n")
    _, findings = parts.doctor(f"--config={config}")
    assert "unknown key pot; did you mean port?" in findings["settings"]["text"]
