"""Coordinator, gateway and host as processes that talk TCP with keys, as on several machines."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

import dcodex

#: Templates are warmed and a worker armed, on a machine that does other things too.
PATIENCE_S = 90.0


def free_ports(count: int) -> list[int]:
    """Ports that nobody has now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def make_keys(name: str, directory: Path) -> None:
    subprocess.run(
        [sys.executable, "-P", "-m", "dcodex", "keys", "new", name, f"--dir={directory}"],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=PATIENCE_S,
    )


@pytest.fixture
def target(tmp_path: Path) -> Iterator[str]:
    """HOST:PORT of a farm whose three processes share no directory but that of public keys."""
    allowed = tmp_path / "allowed"
    make_keys("coordinator", tmp_path)
    for name, folder in (("gateway", "gateways"), ("worker", "hosts")):
        make_keys(name, tmp_path)
        (allowed / folder).mkdir(parents=True)
        (tmp_path / f"{name}.pub").rename(allowed / folder / f"{name}.pub")
    for_gateways, for_workers, port = free_ports(3)
    gateways = f"--gateway_endpoint=tcp://127.0.0.1:{for_gateways}"
    workers = f"--worker_endpoint=tcp://127.0.0.1:{for_workers}"
    known = f"--coordinator_key={tmp_path}/coordinator.pub"
    parts = {
        # The others wait for it, so it comes last.
        "gateway": [gateways, known, f"--port={port}"],
        "worker": [workers, known, "--languages=python", "--preload=", "--slots=2"],
        "coordinator": [gateways, workers, f"--allowed_keys={allowed}", "--max_workers=2"],
    }
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DCODEX_")}
    processes = []
    try:
        for name, flags in parts.items():
            common = (f"--runtime_dir={tmp_path}/{name}", f"--key_file={tmp_path}/{name}.key")
            command = [sys.executable, "-P", "-m", f"dcodex_{name}", *common, *flags]
            processes.append(subprocess.Popen(command, env=environment))
        yield f"127.0.0.1:{port}"
        # The gateway first, then the host, then the coordinator: as deploy/README.md says.
        for process in processes:
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
    finally:
        for process in processes:
            process.kill()
            process.wait()


def await_serving(target: str) -> None:
    """The gateway has met the coordinator, and the coordinator the host."""
    with grpc.insecure_channel(target) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)  # its stubs say nothing of methods
        request = health_pb2.HealthCheckRequest()
        watch = stub.Watch(request, timeout=PATIENCE_S, wait_for_ready=True)
        for reply in watch:
            if reply.status == health_pb2.HealthCheckResponse.SERVING:
                watch.cancel()
                return
    pytest.fail("the farm did not get together")


def test_a_program_runs_on_a_farm_whose_processes_know_each_other_by_their_keys(
    target: str,
) -> None:
    await_serving(target)
    with dcodex.connect(target) as client:
        assert client.run("print('hello')").text == "hello\n"
