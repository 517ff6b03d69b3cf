"""The plan of a farm, the decision to restart, and what a farm owns on its machine."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex.up.place import InUse, PlaceError, RuntimeDirectory, reserve_port
from dcodex.up.plan import Part, Place, make_plan
from dcodex.up.restart import (
    HEALTHY_S,
    LONGEST_DELAY_S,
    Again,
    GiveUp,
    History,
    after_death,
)
from dcodex_shared.config import (
    CommonSettings,
    CoordinatorSettings,
    GatewaySettings,
    WorkerSettings,
    add_flags,
    parse_settings,
)

PATIENCE_S = 20.0
SETTINGS: dict[str, type[CommonSettings]] = {
    "dcodex_gateway": GatewaySettings,
    "dcodex_coordinator": CoordinatorSettings,
    "dcodex_worker": WorkerSettings,
}


def plan(*argv: str, metrics_port: int = 0, gateways: int = 1) -> tuple[Part, ...]:
    parser = argparse.ArgumentParser()
    add_flags(parser, *SETTINGS.values())
    place = Place("/run/x", 4000, gateways, metrics_port)
    return make_plan(parser.parse_args(argv), place)


def test_gateways_stop_first_then_the_host_then_the_coordinator() -> None:
    parts = sorted(plan(gateways=2), key=lambda part: part.stop_turn)
    assert [part.name for part in parts] == ["gateway", "gateway-2", "worker", "coordinator"]


def test_each_part_gets_the_flags_that_are_its_own() -> None:
    parts: dict[str, CommonSettings] = {
        part.module: parse_settings(SETTINGS[part.module], part.arguments, {}, "x", "")
        for part in plan(
            "--min_workers=3",
            "--sandbox-cpu-limit=2s",
            "--preload=numpy,pandas",
            "--log_level=debug",
            "--insecure",
        )
    }
    gateway, coordinator = parts["dcodex_gateway"], parts["dcodex_coordinator"]
    worker = parts["dcodex_worker"]
    assert isinstance(gateway, GatewaySettings)
    assert isinstance(coordinator, CoordinatorSettings)
    assert isinstance(worker, WorkerSettings)
    assert (gateway.sandbox_cpu_limit, gateway.port) == (2.0, 4000)
    assert coordinator.min_workers == 3
    assert worker.preload == ("numpy", "pandas")
    assert {part.log_level for part in parts.values()} == {"debug"}
    assert {part.insecure for part in parts.values()} == {True}
    assert {part.runtime_dir for part in parts.values()} == {"/run/x"}
    assert gateway.gateway_endpoint == coordinator.gateway_endpoint
    assert worker.worker_endpoint == coordinator.worker_endpoint


def test_what_was_not_said_is_left_to_environment_and_file() -> None:
    for part in plan("--config=/etc/dcodex.toml"):
        names = {argument.partition("=")[0] for argument in part.arguments}
        assert names <= {"--config", "--runtime_dir", "--metrics_port", "--port", "--share_port"}
        assert "--config=/etc/dcodex.toml" in part.arguments


def test_metrics_ports_follow_the_base_and_differ() -> None:
    ports = {
        part.name: part.arguments[-3:] if part.name.startswith("gateway") else part.arguments[-1:]
        for part in plan(metrics_port=9100, gateways=3)
    }
    found = {
        name: argument
        for name, arguments in ports.items()
        for argument in arguments
        if argument.startswith("--metrics_port")
    }
    assert found == {
        "gateway": "--metrics_port=9100",
        "coordinator": "--metrics_port=9101",
        "worker": "--metrics_port=9102",
        "gateway-2": "--metrics_port=9103",
        "gateway-3": "--metrics_port=9104",
    }


def test_any_free_metrics_port_is_any_free_one_for_all() -> None:
    assert all("--metrics_port=0" in part.arguments for part in plan())


def test_a_part_that_keeps_dying_waits_ever_longer_up_to_a_bound() -> None:
    history, delays = History(), []
    for _ in range(12):
        decision = after_death(history, 0.1, 1, ready=True)
        assert isinstance(decision, Again)
        history = decision.history
        delays.append(decision.delay_s)
    assert delays[:4] == [0.1, 0.2, 0.4, 0.8]
    assert delays[-1] == LONGEST_DELAY_S


def test_a_part_that_lived_long_begins_anew() -> None:
    assert after_death(History(9), HEALTHY_S, -9, ready=True) == Again(0.1, History(1))


def test_a_farm_that_was_never_ready_gives_up() -> None:
    assert after_death(History(0), 0.1, 1, ready=False) == Again(0.1, History(1))
    assert after_death(History(2), 0.1, 1, ready=False) == GiveUp(1)


def test_a_wrong_setting_ends_the_farm_at_once_and_with_its_status() -> None:
    assert after_death(History(), 0.1, 2, ready=False) == GiveUp(2)
    assert isinstance(after_death(History(), 0.1, 2, ready=True), Again)


@given(st.integers(0, 10_000), st.floats(0, 1e6), st.integers(-64, 255))
def test_a_ready_farm_always_restarts_within_the_bound(
    deaths: int, lived_s: float, status: int
) -> None:
    decision = after_death(History(deaths), lived_s, status, ready=True)
    assert isinstance(decision, Again)
    assert 0 < decision.delay_s <= LONGEST_DELAY_S


@pytest.fixture
def directory() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="dcodex-") as path:
        yield f"{path}/run"


def test_a_runtime_directory_has_one_owner_and_leaves_nothing(directory: str) -> None:
    first = RuntimeDirectory(directory)
    assert os.stat(directory).st_mode & 0o777 == 0o700
    with pytest.raises(InUse, match=rf"another farm \(pid {os.getpid()}\) uses "):
        RuntimeDirectory(directory)
    first.release()
    assert not os.path.exists(directory)
    second = RuntimeDirectory(directory)
    second.release()


def test_a_runtime_directory_stays_claimed_while_a_part_of_its_farm_lives(directory: str) -> None:
    first = RuntimeDirectory(directory)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(first.lock,)):
        os.close(first.lock)  # as if the owner were killed
        with pytest.raises(InUse):
            RuntimeDirectory(directory)
    RuntimeDirectory(directory).release()


def test_a_runtime_directory_too_long_for_sockets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match="too long"):
        RuntimeDirectory(f"{tmp_path}/{'x' * 100}")


def test_a_reserved_port_is_for_those_who_share_it(directory: str) -> None:
    with reserve_port("127.0.0.1", 0) as reserved:
        port = reserved.getsockname()[1]
        with pytest.raises(PlaceError, match=f"127.0.0.1:{port}: address already in use"):
            reserve_port("127.0.0.1", port)
        with socket.socket() as gateway:
            gateway.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            gateway.bind(("127.0.0.1", port))
            gateway.listen()
            # The reserving socket never listens, so no connection is lost to it.
            for _ in range(8):
                socket.create_connection(("127.0.0.1", port), PATIENCE_S).close()
                gateway.accept()[0].close()


CHILD = Path(sys.modules[RuntimeDirectory.__module__].__file__ or "").with_name("child.py")
_STARTER = """
import os, signal, subprocess, sys, time
child = subprocess.Popen(
    [sys.executable, "-I", "-S", sys.argv[1], str(os.getpid()), "/bin/cat"],
    stdin=subprocess.PIPE,
)
child.stdin.write(b"ready\\n")
child.stdin.flush()
signal.pause()
"""


def test_a_child_ends_with_the_process_that_started_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _STARTER, str(CHILD)], stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"ready\n"
        starter.send_signal(signal.SIGKILL)
        # The child holds this pipe's other end: its end of file is the child's end.
        assert starter.stdout.read() == b""


def test_a_child_whose_parent_is_gone_already_does_not_start() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(CHILD), "1", "/bin/echo", "started"],
        capture_output=True,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stdout) == (0, b"")
