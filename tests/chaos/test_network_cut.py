"""A host on a network of its own, which is cut while programs run, and healed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.chaos.parts import table

import dcodex
from dcodex import Limits, Stdout
from dcodex.demo.leftovers import adopting_orphans, left_by, processes
from dcodex_shared.messages import LOST_S

#: For whatever has no bound of its own here, on a machine that does much else.
PATIENCE_S = 90.0
#: What silence takes to be noticed, and the news to get round.
NEWS_S = LOST_S + 10.0

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes network namespaces"),
    pytest.mark.skipif(
        shutil.which("ip") is None or shutil.which("nsenter") is None,
        reason="needs ip (iproute2) and nsenter (util-linux)",
    ),
]


@dataclass(frozen=True, slots=True)
class Wire:
    """Two ends of a cable: one here, one in a namespace."""

    namespace: str
    #: The interface on this side.
    device: str
    #: Addresses of this side and of the other.
    here: str

    def cut(self) -> None:
        """From now on nothing passes, and nobody is told."""
        ip("link", "set", self.device, "down")

    def heal(self) -> None:
        """Let everything pass again."""
        ip("link", "set", self.device, "up")


def ip(*words: str) -> None:
    """Run ip(8); its complaint is the test's."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode != 0:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A namespace and a cable of this test's own."""
    number = os.getpid() % 10_000
    namespace, device, peer = f"dcodex-cut-{number}", f"dcx{number}a", f"dcx{number}b"
    network = f"10.213.{number % 250}"
    with contextlib.ExitStack() as stack:
        try:
            ip("netns", "add", namespace)
        except OSError as error:
            pytest.skip(f"no network namespace can be made: {error}")
        stack.callback(ip, "netns", "delete", namespace)
        ip("link", "add", device, "type", "veth", "peer", "name", peer, "netns", namespace)
        ip("address", "add", f"{network}.1/24", "dev", device)
        ip("link", "set", device, "up")
        ip("-n", namespace, "address", "add", f"{network}.2/24", "dev", peer)
        ip("-n", namespace, "link", "set", peer, "up")
        ip("-n", namespace, "link", "set", "lo", "up")
        yield Wire(namespace, device, f"{network}.1")


@dataclass(slots=True)
class Split:
    """A farm whose host is at the other end of the wire."""

    target: str
    host: subprocess.Popen[bytes]
    log: Path


@pytest.fixture
def split(wire: Wire, tmp_path: Path) -> Iterator[Split]:
    """Coordinator and gateway here, the host there; all ended at the end, in order."""
    others = processes()
    endpoint = f"--worker_endpoint=tcp://{wire.here}:{free_port(wire.here)}"
    port = free_port("127.0.0.1")
    log = tmp_path / "log"
    with adopting_orphans(), log.open("wb") as out, contextlib.ExitStack() as stack:

        def start(*command: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                [*command, f"--runtime_dir={tmp_path}/run", "--insecure", "--log_level=info"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
            stack.callback(end, process)
            return process

        python = (sys.executable, "-P", "-m")
        start(*python, "dcodex_coordinator", endpoint, "--min_workers=2", "--max_workers=2")
        start(*python, "dcodex_gateway", f"--port={port}")
        inside = ("nsenter", f"--net=/run/netns/{wire.namespace}")
        host = start(*inside, *python, "dcodex_worker", endpoint, "--preload=")
        yield Split(f"127.0.0.1:{port}", host, log)
        members = processes() - others
    assert left_by(members) == []


def end(process: subprocess.Popen[bytes]) -> None:
    """As an operator does."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port(address: str) -> int:
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_cut_network_ends_what_ran_and_a_healed_one_brings_the_host_back(
    wire: Wire, split: Split
) -> None:
    with dcodex.connect(split.target) as client:
        until_served(client)
        name = f"nc-{os.urandom(5).hex()}"
        source = (
            "import ctypes, sys, time\n"
            "ctypes.CDLL(None).prctl(15, sys.argv[1].encode(), 0, 0, 0)\n"
            "print('on', flush=True)\n"
            "time.sleep(100)\n"
        )
        execution = client.execute(source, args=[name], limits=Limits(wall_s=110), cache=False)
        assert any(isinstance(event, Stdout) for event in execution)
        assert is_running(name)
        wire.cut()
        cut_at = time.monotonic()
        with pytest.raises(dcodex.Unavailable):
            execution.result()
        assert time.monotonic() - cut_at < NEWS_S
        # Nobody can be told of its end any more, so the host ends it by itself.
        wait_for(lambda: not is_running(name), "end of the program behind the cut")
        with pytest.raises(dcodex.Unavailable):
            client.run("print(1)", cache=False, timeout_s=PATIENCE_S)
        wire.heal()
        until_served(client)
    assert split.host.poll() is None, split.log.read_text()


def test_a_short_cut_costs_nothing(wire: Wire, split: Split) -> None:
    with dcodex.connect(split.target) as client:
        until_served(client)
        with client.execute("print('on', flush=True)\nprint(input())", cache=False) as execution:
            assert any(isinstance(event, Stdout) for event in execution)
            wire.cut()
            # On its way while there is none; TCP sends it again.
            assert execution.send_stdin("through\n")
            wire.heal()
            assert execution.result().check().text.strip() == "through"


def is_running(name: str) -> bool:
    """Whether a process of this name is anywhere on the machine."""
    return any(process.name == name and not process.is_zombie for process in table().values())


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Look again and again, since nobody tells: processes of others."""
    deadline = time.monotonic() + PATIENCE_S
    never = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        never.wait(0.05)


def until_served(client: dcodex.Client) -> None:
    """Ask until a program runs."""

    def is_served() -> bool:
        try:
            return client.run("print(1)", cache=False, timeout_s=PATIENCE_S).ok
        except dcodex.DCodeXError:
            return False

    wait_for(is_served, "a served request")
