"""The broker over real sockets, with peers that speak the protocol by hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import zmq

from dcodex_coordinator.broker import MESSAGES_A_TURN, Broker
from dcodex_coordinator.desk import DeskSettings
from dcodex_coordinator.machine import Machine, MachineSettings
from dcodex_shared.errors import Reason
from dcodex_shared.farm import unpack_farm
from dcodex_shared.messages import (
    Cancel,
    Credit,
    FarmState,
    Finished,
    Goodbye,
    Heartbeat,
    Hello,
    HostState,
    LanguageList,
    Lease,
    Message,
    Output,
    Queued,
    Ready,
    Refused,
    Role,
    Started,
    StartWorker,
    Stdin,
    StdinCredit,
    Stream,
    Submit,
    Verdict,
    WatchFarm,
    Welcome,
    WorkerExited,
)
from dcodex_shared.program import pack_records, unpack_records
from dcodex_shared.wire import decode, encode

#: No message of these tests takes a hundredth of this.
PATIENCE_S = 10.0
M = TypeVar("M")


class Farm:
    """A broker in a thread of its own, and the peers that the test made."""

    def __init__(self, directory: str) -> None:
        self.gateways = f"ipc://{directory}/g.sock"
        self.workers = f"ipc://{directory}/w.sock"
        desk = DeskSettings({}, 4, 100, 50, 100, 1 << 20, 60.0, False)
        self.machine = Machine(MachineSettings("b00t1d", desk, 2, 4, 0.1, 60.0), time.monotonic())
        self.broker = Broker(self.machine, self.gateways, self.workers).__enter__()
        self.context = zmq.Context()
        self.peers: list[PeerSocket] = []
        self.thread = threading.Thread(target=self.broker.run)
        self.thread.start()

    def close(self) -> None:
        self.broker.stop()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()
        self.machine.check()
        for peer in self.peers:
            peer.socket.close()
        self.context.term()
        self.broker.close()

    def peer(self, role: Role, name: str) -> PeerSocket:
        made = PeerSocket(
            self.context, self.gateways if role is Role.GATEWAY else self.workers, role, name
        )
        self.peers.append(made)
        return made

    def gateway(self) -> PeerSocket:
        gateway = self.peer(Role.GATEWAY, "gateway")
        gateway.expect(Welcome)
        gateway.expect(LanguageList)
        return gateway

    def host(self, slots: int = 2) -> PeerSocket:
        host = self.peer(Role.HOST, "host")
        host.expect(Welcome)
        host.send(
            HostState((("c", "12"), ("python", "3.11")), slots, 1 << 40, -1.0, -1.0, 0.5, False)
        )
        return host

    def worker(self, host: PeerSocket) -> PeerSocket:
        """A worker that the host was asked for, ready."""
        start = host.expect(StartWorker)
        worker = self.peer(Role.WORKER, start.worker_id)
        worker.expect(Welcome)
        worker.send(Ready(start.language, 0.004))
        worker.language = start.language
        return worker

    def python_farm(self) -> tuple[PeerSocket, PeerSocket, PeerSocket]:
        """A gateway that has heard of a host, the host and its one worker."""
        gateway = self.gateway()
        host = self.host(slots=1)
        worker = self.worker(host)
        gateway.expect(LanguageList)
        return gateway, host, worker


class PeerSocket:
    """A DEALER that has said Hello."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], endpoint: str, role: Role, name: str
    ) -> None:
        self.socket = context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(endpoint)
        self.name = name
        self.language = ""
        self.payload = b""
        self.send(Hello(role, name))

    def send(self, message: Message, payload: bytes = b"") -> None:
        self.socket.send_multipart(encode(message, payload))

    def expect(self, kind: type[M]) -> M:
        """The next message but Heartbeat and Queued: of this kind; payload in self.payload."""
        due = time.monotonic() + PATIENCE_S
        while True:
            left = due - time.monotonic()
            if left <= 0 or not self.socket.poll(int(left * 1000)):
                pytest.fail(f"{self.name}: no {kind.__name__} came")
            message, self.payload = decode(self.socket.recv_multipart())
            if isinstance(message, kind):
                return message
            # A request that overtakes its worker's Ready has to wait: both are right.
            assert isinstance(message, Heartbeat | Queued), message


@pytest.fixture
def farm() -> Iterator[Farm]:
    with tempfile.TemporaryDirectory() as directory:
        made = Farm(directory)
        yield made
        made.close()


def submit(
    *, streaming: bool = True, cache_key: bytes = b"", deadline_s: float = 0.0, trace: bool = False
) -> Submit:
    return Submit(
        execution_id=uuid.uuid4().hex,
        tenant="t",
        language="python",
        priority=0,
        deadline_s=deadline_s,
        streaming=streaming,
        window_bytes=1000,
        wall_limit_s=10.0,
        cache_key=cache_key,
        client_key="",
        trace=trace,
    )


def finished(execution_id: str, verdict: Verdict = Verdict.OK) -> Finished:
    return Finished(execution_id, verdict, 0, 0, "", 0.01, 0.0, 0.02, 1 << 20, 0.0, False, False)


def test_a_program_goes_to_a_worker_and_its_output_comes_back(farm: Farm) -> None:
    gateway, _, worker = farm.python_farm()
    request = submit(trace=True)
    gateway.send(request, b"program")
    lease = worker.expect(Lease)
    assert (lease.execution_id, lease.language) == (request.execution_id, "python")
    assert worker.payload == b"program"
    started = gateway.expect(Started)
    assert started.warm
    assert started.worker_id == worker.name
    worker.send(Output(request.execution_id, Stream.STDOUT), b"hello\n")
    assert gateway.expect(Output).stream == Stream.STDOUT
    assert gateway.payload == b"hello\n"
    gateway.send(Credit(request.execution_id, 6))
    assert worker.expect(Credit).count == 6
    gateway.send(Stdin(request.execution_id), b"more")
    worker.expect(Stdin)
    assert worker.payload == b"more"
    worker.send(StdinCredit(request.execution_id, 4))
    assert gateway.expect(StdinCredit).count == 4
    tail = pack_records([(1, b"bye\n")])
    worker.send(finished(request.execution_id), tail)
    end = gateway.expect(Finished)
    assert gateway.payload == tail
    assert (end.verdict, end.worker_id, end.warm) == (Verdict.OK, worker.name, True)
    assert [where for where, _ in end.stamps] == [
        "coordinator.received",
        "coordinator.leased",
        "coordinator.finished",
    ]


def test_a_recycling_worker_gets_no_request_until_it_is_ready(farm: Farm) -> None:
    gateway, _, worker = farm.python_farm()
    first, second = submit(streaming=False), submit(streaming=False)
    gateway.send(first)
    worker.expect(Lease)
    gateway.send(second)
    worker.send(finished(first.execution_id))
    gateway.expect(Finished)
    assert not worker.socket.poll(100)
    worker.send(Ready("python", 0.004))
    assert worker.expect(Lease).execution_id == second.execution_id


def test_a_cancelled_program_is_killed_and_its_end_is_told(farm: Farm) -> None:
    gateway, _, worker = farm.python_farm()
    request = submit()
    gateway.send(request)
    worker.expect(Lease)
    gateway.expect(Started)
    gateway.send(Cancel(request.execution_id, "ctrl-c"))
    assert worker.expect(Cancel).execution_id == request.execution_id
    worker.send(finished(request.execution_id, Verdict.CANCELLED))
    assert gateway.expect(Finished).verdict == Verdict.CANCELLED


def test_the_death_of_a_worker_is_told_to_its_caller_within_a_second(farm: Farm) -> None:
    gateway, host, worker = farm.python_farm()
    request = submit(streaming=False)
    gateway.send(request)
    worker.expect(Lease)
    began = time.monotonic()
    host.send(WorkerExited(worker.name, "killed"))
    refused = gateway.expect(Refused)
    assert time.monotonic() - began < 1.0
    assert refused.reason == Reason.UNAVAILABLE
    assert host.expect(StartWorker).worker_id != worker.name
    worker.send(finished(request.execution_id))
    gateway.send(WatchFarm(True))
    gateway.expect(FarmState)


def test_a_vanished_gateways_programs_are_cancelled(farm: Farm) -> None:
    gateway, _, worker = farm.python_farm()
    gateway.send(submit())
    lease = worker.expect(Lease)
    farm.peers.remove(gateway)
    gateway.socket.close()
    assert worker.expect(Cancel).execution_id == lease.execution_id


def test_a_worker_that_nobody_asked_for_is_turned_away(farm: Farm) -> None:
    assert "asked" in farm.peer(Role.WORKER, "host/999").expect(Goodbye).reason


def test_a_gateway_cannot_come_in_by_the_workers_door(farm: Farm) -> None:
    context, endpoint = farm.context, farm.workers
    stray = PeerSocket(context, endpoint, Role.GATEWAY, "stray")
    farm.peers.append(stray)
    assert "role" in stray.expect(Goodbye).reason


def test_garbage_is_dropped_and_the_farm_goes_on(farm: Farm) -> None:
    gateway, _, worker = farm.python_farm()
    for frames in (
        [b""],
        [b"\xff" * 9, b""],
        [b"\x91\x05", b""],
        [b"a", b"b", b"c"],
        [b"\x00"] * 9,
    ):
        gateway.socket.send_multipart(frames)
        worker.socket.send_multipart(frames)
    gateway.send(submit(streaming=False))
    worker.expect(Lease)


def test_more_messages_at_once_than_one_turn_takes_are_all_answered(farm: Farm) -> None:
    gateway, _, worker = farm.python_farm()
    first = submit()
    gateway.send(first)
    worker.expect(Lease)
    gateway.expect(Started)
    for number in range(4 * MESSAGES_A_TURN):
        gateway.send(Stdin(first.execution_id), b"%d" % number)
    for number in range(4 * MESSAGES_A_TURN):
        worker.expect(Stdin)
        assert worker.payload == b"%d" % number


def test_a_worker_cannot_answer_for_an_execution_it_was_not_leased(farm: Farm) -> None:
    gateway = farm.gateway()
    host = farm.host(slots=2)
    workers = [farm.worker(host), farm.worker(host)]
    gateway.expect(LanguageList)
    request = submit(streaming=False)
    gateway.send(request)
    poller = zmq.Poller()
    for worker in workers:
        poller.register(worker.socket, zmq.POLLIN)
    leased = poller.poll(int(PATIENCE_S * 1000))[0][0]
    honest, liar = workers if leased is workers[0].socket else workers[::-1]
    honest.expect(Lease)
    liar.send(Output(request.execution_id, Stream.STDOUT), b"forged")
    liar.send(finished(request.execution_id, Verdict.NONZERO_EXIT))
    # What the liar says after the lie shows that the lie was read.
    liar.send(Goodbye("done lying"))
    host.expect(object)
    honest.send(finished(request.execution_id))
    assert gateway.expect(Finished).verdict == Verdict.OK


def test_a_gateway_cannot_touch_another_gateways_execution(farm: Farm) -> None:
    gateway, _, worker = farm.python_farm()
    other = farm.gateway()
    request = submit(streaming=False)
    gateway.send(request)
    worker.expect(Lease)
    other.send(Cancel(request.execution_id, "mine now"))
    other.send(WatchFarm(True))
    other.expect(FarmState)
    assert not worker.socket.poll(0)
    worker.send(finished(request.execution_id))
    gateway.expect(Finished)


def test_an_identical_request_is_answered_from_the_cache(farm: Farm) -> None:
    gateway, _, worker = farm.python_farm()
    first = submit(cache_key=b"k")
    gateway.send(first)
    worker.expect(Lease)
    gateway.expect(Started)
    worker.send(Output(first.execution_id, Stream.STDOUT), b"a")
    worker.send(finished(first.execution_id), pack_records([(2, b"b")]))
    gateway.expect(Output)
    assert not gateway.expect(Finished).cache_hit
    second = submit(streaming=False, cache_key=b"k")
    gateway.send(second)
    end = gateway.expect(Finished)
    assert end.cache_hit
    assert unpack_records(gateway.payload) == [(1, b"a"), (2, b"b")]


def test_a_watching_gateway_sees_the_workers_change(farm: Farm) -> None:
    gateway, _, worker = farm.python_farm()
    gateway.send(WatchFarm(True))
    gateway.expect(FarmState)
    request = submit(streaming=False)
    gateway.send(request)
    worker.expect(Lease)
    state = 1
    while state == 1:
        gateway.expect(FarmState)
        (view,) = unpack_farm(gateway.payload).workers
        state = view.state
    assert (view.state, view.execution_id, view.tenant) == (2, request.execution_id, "t")
    assert view.story[-1].startswith("IDLE>BUSY leased")


def test_a_deadline_ends_a_waiting_request(farm: Farm) -> None:
    gateway, _, worker = farm.python_farm()
    gateway.send(submit(streaming=False))
    worker.expect(Lease)
    late = submit(streaming=False, deadline_s=0.05)
    gateway.send(late)
    refused = gateway.expect(Refused)
    assert (refused.execution_id, refused.reason) == (late.execution_id, Reason.DEADLINE_EXCEEDED)


def test_a_bug_that_one_peer_hits_costs_nobody_else(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, _, worker = farm.python_farm()
    unlucky = farm.gateway()

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(farm.machine, "_publish", broken)
    unlucky.send(WatchFarm(True))
    gateway.send(submit(streaming=False))
    lease = worker.expect(Lease)
    worker.send(finished(lease.execution_id))
    gateway.expect(Finished)
    assert farm.machine.figures.dropped["bug"] == 1
    assert farm.machine.peer_counts()["gateway"] == 1


class Process:
    """A coordinator process, ready."""

    def __init__(self, directory: str, *arguments: str) -> None:
        command = [sys.executable, "-P", "-m", "dcodex_coordinator", "--runtime_dir", directory]
        self.popen = subprocess.Popen(
            [*command, *arguments],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "DCODEX_LOG_LEVEL": "info"},
        )
        assert self.popen.stderr is not None
        self.first_line = self.popen.stderr.readline()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.popen.kill()
        self.popen.communicate()

    def end(self) -> str:
        """What else it said, once it has ended; it must end well."""
        _, rest = self.popen.communicate(timeout=PATIENCE_S)
        assert self.popen.returncode == 0, rest
        return rest


@pytest.fixture
def directory() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as made:
        yield made


def test_the_process_drains_on_sigterm_and_leaves_no_socket(directory: str) -> None:
    with Process(directory) as process:
        assert "ready" in process.first_line, process.first_line
        port = process.first_line.rpartition("metrics_port=")[2].strip()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
            assert b"dcodex_workers_desired" in reply.read()
        process.popen.send_signal(signal.SIGTERM)
        process.end()
    assert list(Path(directory).iterdir()) == []


def test_a_drain_lets_what_runs_finish_and_refuses_what_is_new(directory: str) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    made = []

    def peer(role: Role, name: str) -> PeerSocket:
        door = "gateways" if role is Role.GATEWAY else "workers"
        made.append(PeerSocket(context, f"ipc://{directory}/{door}.sock", role, name))
        made[-1].expect(Welcome)
        return made[-1]

    try:
        with Process(directory, "--min_workers", "1") as process:
            assert "ready" in process.first_line, process.first_line
            gateway, host = peer(Role.GATEWAY, "g"), peer(Role.HOST, "h")
            host.send(HostState((("python", "3"),), 1, 1 << 40, 0.0, 0.0, 0.0, False))
            worker = peer(Role.WORKER, host.expect(StartWorker).worker_id)
            worker.send(Ready("python", 0.001))
            running = submit(streaming=False)
            gateway.expect(LanguageList)
            gateway.expect(LanguageList)
            gateway.send(running)
            worker.expect(Lease)
            process.popen.send_signal(signal.SIGTERM)
            refused = None
            while refused is None:
                # Until the signal has been seen this one waits, then it is refused as well.
                gateway.send(submit(streaming=False))
                refused = gateway.expect(Refused)
            assert refused.reason == Reason.UNAVAILABLE
            worker.send(finished(running.execution_id))
            assert gateway.expect(Finished).execution_id == running.execution_id
            gateway.expect(Goodbye)
            process.end()
    finally:
        for one in made:
            one.socket.close()
        context.term()


def test_a_successor_takes_over_the_sockets_of_one_that_was_killed(directory: str) -> None:
    with Process(directory) as first:
        assert "ready" in first.first_line
        first.popen.kill()
        first.popen.wait(PATIENCE_S)
        with Process(directory) as second:
            assert "ready" in second.first_line
            second.popen.send_signal(signal.SIGTERM)
            second.end()


def test_a_second_coordinator_does_not_take_the_sockets_of_one_that_lives(directory: str) -> None:
    with Process(directory) as first, Process(directory) as second:
        assert "ready" in first.first_line
        assert "another coordinator" in second.first_line
        assert second.popen.wait(PATIENCE_S) == 2
        first.popen.send_signal(signal.SIGTERM)
        first.end()


#: A peer of as many messages as may wait, and more, goes while the loop is slow: for longer than
#: ZeroMQ takes to look after a connection. What it does wrong then ends the whole process.
SLOW_LOOP = """
import socket, sys, threading, time
from dcodex_coordinator.broker import RECEIVE_HIGH_WATER, Broker
from dcodex_coordinator.desk import DeskSettings
from dcodex_coordinator.machine import Machine, MachineSettings
from dcodex_shared.messages import LOST_S

directory = sys.argv[1]
desk = DeskSettings({}, 4, 100, 50, 100, 1 << 20, 60.0, False)
machine = Machine(MachineSettings("b00t1d", desk, 2, 4, 0.1, 60.0), time.monotonic())
with Broker(machine, f"ipc://{directory}/g.sock", f"ipc://{directory}/w.sock") as broker:
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(f"{directory}/g.sock")
    peer.sendall(b"\\xff" + bytes(8) + b"\\x7f\\x03\\x00" + b"NULL".ljust(20, b"\\0") + bytes(32))
    greeting = b""
    while len(greeting) < 64:
        greeting += peer.recv(64 - len(greeting))
    ready = b"\\x05READY\\x0bSocket-Type" + (6).to_bytes(4, "big") + b"DEALER"
    peer.sendall(b"\\x04" + bytes([len(ready)]) + ready)
    peer.recv(1024)
    peer.sendall(b"\\x00\\x01x" * 3 * RECEIVE_HIGH_WATER)
    peer.close()
    time.sleep(LOST_S / 3 + 1.0)
    threading.Timer(1.0, broker.stop).start()
    broker.run()
    print(machine.figures.dropped["unreadable"])
"""


def test_a_peer_that_goes_while_all_its_messages_wait_does_not_end_the_coordinator(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", SLOW_LOOP, str(tmp_path)],
        capture_output=True,
        timeout=6 * PATIENCE_S,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
