"""The broker over real TCP with CURVE keys: who is heard, who is not, and who may not start."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq
from zmq.utils.monitor import recv_monitor_message

from dcodex_coordinator import metrics
from dcodex_coordinator.broker import Broker
from dcodex_coordinator.desk import DeskSettings
from dcodex_coordinator.machine import Machine, MachineSettings
from dcodex_coordinator.outbox import Side
from dcodex_shared.keys import (
    GATEWAYS,
    HOSTS,
    ClientKeys,
    KeyPair,
    client_keys,
    make_keys,
    server_keys,
    use_as_client,
)
from dcodex_shared.messages import Hello, Role, Welcome
from dcodex_shared.wire import decode, encode
from dcodex_worker.link import Link
from dcodex_worker.presence import State

#: No step of these tests takes a tenth of this.
PATIENCE_S = 20.0
ROLES = {Side.GATEWAYS: Role.GATEWAY, Side.WORKERS: Role.HOST}
REFUSED = (
    zmq.Event.HANDSHAKE_FAILED_AUTH
    | zmq.Event.HANDSHAKE_FAILED_PROTOCOL
    | zmq.Event.HANDSHAKE_FAILED_NO_DETAIL
)


class Farm:
    """A broker in a thread of its own; its keys and list stand in a directory."""

    def __init__(self, directory: Path, workers: str = "tcp://127.0.0.1:*") -> None:
        self.directory = directory
        self.allowed = directory / "allowed"
        self.allowed.mkdir()
        make_keys(directory, "coordinator")
        endpoints = ("tcp://127.0.0.1:*", workers)
        keys = server_keys(endpoints, f"{directory}/coordinator.key", str(self.allowed))
        assert keys is not None
        desk = DeskSettings({}, 4, 100, 50, 100, 1 << 20, 60.0, False)
        self.machine = Machine(MachineSettings("b00t1d", desk, 2, 4, 0.1, 60.0), time.monotonic())
        self.broker = Broker(self.machine, *endpoints, keys).__enter__()
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.peers: list[Peer] = []
        self.links: list[Link] = []
        self.thread = threading.Thread(target=self.broker.run)
        self.thread.start()

    def close(self) -> None:
        self.broker.stop()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()
        self.machine.check()
        for peer in self.peers:
            peer.close()
        for link in self.links:
            link.close(linger_ms=0)
        self.context.term()
        self.broker.close()

    def allow(self, name: str, folder: str = "") -> None:
        (self.allowed / folder).mkdir(exist_ok=True)
        (self.directory / f"{name}.pub").rename(self.allowed / folder / f"{name}.pub")

    def forbid(self, name: str) -> None:
        (self.allowed / f"{name}.pub").rename(self.directory / f"{name}.pub")

    def keys(self, name: str, coordinator: str = "coordinator") -> ClientKeys:
        """New keys, in no list."""
        key_file, _ = make_keys(self.directory, name)
        keys = client_keys("tcp://x:1", str(key_file), f"{self.directory}/{coordinator}.pub")
        assert keys is not None
        return keys

    def peer(self, side: Side, keys: ClientKeys | None) -> Peer:
        made = Peer(self.context, self.broker.bound[side], ROLES[side], keys)
        self.peers.append(made)
        return made

    def heard(self) -> int:
        """Peers known, and messages dropped: what a peer has brought about."""
        with self.broker.lock:
            known = sum(self.machine.peer_counts().values())
            return known + sum(self.machine.figures.dropped.values())

    def refused(self) -> int:
        """As Prometheus would scrape it."""
        registry = metrics.registry(self.machine, self.broker.lock)
        value = registry.get_sample_value("dcodex_connections_refused_total")
        assert value is not None
        return int(value)


class Peer:
    """A DEALER that says Hello as soon as it is let in, and a monitor of its handshake."""

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        endpoint: str,
        role: Role,
        keys: ClientKeys | None,
    ) -> None:
        self.socket = context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        if keys is not None:
            use_as_client(self.socket, keys)
        self.monitor = self.socket.get_monitor_socket(int(REFUSED))
        self.socket.connect(endpoint)
        # Who is refused so soon has no connection left to say it on.
        with contextlib.suppress(zmq.Again):
            self.socket.send_multipart(encode(Hello(role, "peer")), zmq.NOBLOCK)

    def await_welcome(self) -> None:
        assert self.socket.poll(int(PATIENCE_S * 1000)), "it was not welcomed"
        assert isinstance(decode(self.socket.recv_multipart())[0], Welcome)

    def await_refusal(self) -> None:
        assert self.monitor.poll(int(PATIENCE_S * 1000)), "it was not refused"
        recv_monitor_message(self.monitor)

    def close(self) -> None:
        self.socket.disable_monitor()
        self.monitor.close(linger=0)
        self.socket.close()


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    made = Farm(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("side", list(Side))
def test_a_peer_whose_key_is_listed_is_welcomed(farm: Farm, side: Side) -> None:
    keys = farm.keys("listed")
    farm.allow("listed")
    farm.peer(side, keys).await_welcome()
    assert farm.refused() == 0


@pytest.mark.parametrize("side", list(Side))
def test_a_peer_whose_key_is_not_listed_is_not_heard(farm: Farm, side: Side) -> None:
    peer = farm.peer(side, farm.keys("unlisted"))
    peer.await_refusal()
    assert farm.heard() == 0
    assert farm.refused() >= 1


@pytest.mark.parametrize("side", list(Side))
def test_a_peer_without_a_key_is_not_heard(farm: Farm, side: Side) -> None:
    peer = farm.peer(side, None)
    peer.await_refusal()
    assert farm.heard() == 0


@pytest.mark.parametrize(
    ("own", "folder", "other"),
    [(Side.GATEWAYS, GATEWAYS, Side.WORKERS), (Side.WORKERS, HOSTS, Side.GATEWAYS)],
)
def test_a_key_that_is_listed_for_one_side_does_not_open_the_other(
    farm: Farm, own: Side, folder: str, other: Side
) -> None:
    keys = farm.keys("listed")
    farm.allow("listed", folder)
    farm.peer(other, keys).await_refusal()
    assert farm.heard() == 0
    farm.peer(own, keys).await_welcome()
    assert farm.heard() == 1


def test_a_peer_that_shows_a_listed_key_without_its_secret_is_not_heard(farm: Farm) -> None:
    listed, own = farm.keys("listed"), farm.keys("own")
    farm.allow("listed")
    stolen = KeyPair(listed.own.public, own.own.secret)
    peer = farm.peer(Side.WORKERS, ClientKeys(stolen, listed.coordinator))
    peer.await_refusal()
    assert farm.heard() == 0


def test_a_peer_that_expects_another_coordinator_tells_this_one_nothing(farm: Farm) -> None:
    make_keys(farm.directory, "other")
    keys = farm.keys("listed", coordinator="other")
    farm.allow("listed")
    peer = farm.peer(Side.GATEWAYS, keys)
    peer.await_refusal()
    assert farm.heard() == 0


def test_a_key_counts_from_when_it_is_listed_until_it_is_taken_out(farm: Farm) -> None:
    keys = farm.keys("late")
    farm.peer(Side.WORKERS, keys).await_refusal()
    farm.allow("late")
    farm.peer(Side.WORKERS, keys).await_welcome()
    farm.forbid("late")
    farm.peer(Side.WORKERS, keys).await_refusal()
    assert farm.heard() == 1


def test_bytes_that_are_no_handshake_harm_nobody(farm: Farm) -> None:
    keys = farm.keys("listed")
    farm.allow("listed")
    host, _, port = farm.broker.bound[Side.WORKERS].removeprefix("tcp://").rpartition(":")
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096), b"\xff" + bytes(8) + b"\x7f"):
        # It may end the connection before it has read all of it.
        with (
            socket.create_connection((host, int(port)), PATIENCE_S) as raw,
            contextlib.suppress(OSError),
        ):
            raw.sendall(garbage)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(4096):
                pass
    assert farm.heard() == 0
    farm.peer(Side.WORKERS, keys).await_welcome()


def test_a_local_endpoint_beside_a_tcp_one_needs_no_key(tmp_path: Path) -> None:
    farm = Farm(tmp_path, workers=f"ipc://{tmp_path}/w.sock")
    try:
        farm.peer(Side.WORKERS, None).await_welcome()
        outside = farm.peer(Side.GATEWAYS, None)
        outside.await_refusal()
        assert farm.heard() == 1
    finally:
        farm.close()


# --- the worker's end ------------------------------------------------------------------------


def open_link(farm: Farm, keys: ClientKeys | None) -> Link:
    link = Link(farm.context, farm.broker.bound[Side.WORKERS], Hello(Role.HOST, "h"), keys)
    link.open(time.monotonic())
    farm.links.append(link)
    return link


def serve_until(link: Link, condition: Callable[[], bool]) -> None:
    """What a host's loop does with its link."""
    due = time.monotonic() + PATIENCE_S
    while not condition():
        now = time.monotonic()
        assert now < due
        wait_s = min(link.presence.next_deadline(), due) - now
        if not link.pending():
            select.select([link.fd, link.monitor_fd], [], [], max(0.0, wait_s))
        now = time.monotonic()
        link.watch(now)
        for _ in link.receive(now):
            pass
        link.tend(now)
        assert not link.lost, link.presence.reason


def test_a_hosts_link_meets_the_coordinator_with_its_keys(farm: Farm) -> None:
    keys = farm.keys("host")
    farm.allow("host")
    link = open_link(farm, keys)
    serve_until(link, lambda: link.presence.state is State.MET)


def test_a_host_that_is_refused_says_so_once_and_gets_in_when_it_is_listed(
    farm: Farm, caplog: pytest.LogCaptureFixture
) -> None:
    link = open_link(farm, farm.keys("host"))
    serve_until(link, lambda: farm.refused() >= 2)
    assert caplog.text.count("check the keys") == 1
    assert (link.presence.state, farm.heard()) == (State.AWAY, 0)
    farm.allow("host")
    serve_until(link, lambda: link.presence.state is State.MET)


def test_a_host_without_keys_is_told_to_check_them(
    farm: Farm, caplog: pytest.LogCaptureFixture
) -> None:
    link = open_link(farm, None)
    serve_until(link, lambda: "check the keys" in caplog.text)
    assert (link.presence.state, farm.heard()) == (State.AWAY, 0)


# --- starting --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "flags", "words"),
    [
        ("dcodex_coordinator", ["--gateway_endpoint=tcp://0.0.0.0:5501"], "without encryption"),
        ("dcodex_coordinator", ["--worker_endpoint=tcp://0.0.0.0:5502"], "without encryption"),
        (
            "dcodex_coordinator",
            ["--worker_endpoint=tcp://127.0.0.1:5502", "--key_file={keys}/a.key"],
            "key_file and allowed_keys need each other",
        ),
        (
            "dcodex_coordinator",
            ["--worker_endpoint=tcp://127.0.0.1:5502", "--allowed_keys={keys}"],
            "key_file and allowed_keys need each other",
        ),
        (
            "dcodex_coordinator",
            [
                "--worker_endpoint=tcp://0.0.0.0:5502",
                "--key_file={keys}/a.key",
                "--allowed_keys={keys}/nowhere",
            ],
            "allowed_keys: ",
        ),
        ("dcodex_worker", ["--worker_endpoint=tcp://10.0.0.1:5502"], "without encryption"),
        (
            "dcodex_worker",
            ["--worker_endpoint=tcp://10.0.0.1:5502", "--key_file={keys}/a.key"],
            "key_file and coordinator_key need each other",
        ),
        (
            "dcodex_worker",
            [
                "--worker_endpoint=tcp://10.0.0.1:5502",
                "--key_file={keys}/a.pub",
                "--coordinator_key={keys}/a.pub",
            ],
            "can be read by other users",
        ),
        ("dcodex_gateway", ["--gateway_endpoint=tcp://10.0.0.1:5501"], "without encryption"),
    ],
)
def test_a_process_whose_tcp_would_be_open_to_others_does_not_start(
    tmp_path: Path, module: str, flags: list[str], words: str
) -> None:
    make_keys(tmp_path / "keys", "a")
    given = [flag.format(keys=tmp_path / "keys") for flag in flags]
    done = subprocess.run(
        [sys.executable, "-P", "-m", module, f"--runtime_dir={tmp_path}/run", *given],
        capture_output=True,
        timeout=3 * PATIENCE_S,
        text=True,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert words in line
