"""Which endpoints are refused, and what is made for those that are not."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from dcodex_shared.config import ConfigError
from dcodex_shared.endpoints import is_served, prepare, remove_socket


def test_a_local_endpoints_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/run/gateways.sock"
    assert prepare(endpoint, insecure=False) == endpoint
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


def test_a_directory_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigError, match="other users"):
        prepare(f"ipc://{tmp_path}/x.sock", insecure=False)
    prepare(f"ipc://{tmp_path}/x.sock", insecure=True)


@pytest.mark.parametrize("host", ["*", "0.0.0.0", "10.0.0.1", "farm.example", "[::]"])
def test_tcp_that_leaves_the_machine_needs_insecure(host: str) -> None:
    with pytest.raises(ConfigError, match="insecure"):
        prepare(f"tcp://{host}:7000", insecure=False)
    prepare(f"tcp://{host}:7000", insecure=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "[::1]"])
def test_tcp_on_loopback_is_fine(host: str) -> None:
    prepare(f"tcp://{host}:7000", insecure=False)


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "x",
        "ipc://",
        "inproc://x",
        "tcp://127.0.0.1",
        "tcp://:1",
        "tcp://a:b",
        "ipc://rel/x",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:65536",
        "ipc:///" + "a" * 120,
    ],
)
def test_a_malformed_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(ConfigError):
        prepare(endpoint, insecure=True)


def test_a_served_local_socket_is_told_from_a_stale_one(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    endpoint = f"ipc://{path}"
    assert not is_served(endpoint)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(path))
        server.listen()
        assert is_served(endpoint)
    assert not is_served(endpoint)
    remove_socket(endpoint)
    assert not path.exists()
