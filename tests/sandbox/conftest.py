"""Fixtures: one farm for the whole corpus, a watcher on the host side, and things to attack."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.sandbox.corpus import Attack
from tests.sandbox.host import Snapshot, Watcher, take

import dcodex
from dcodex.demo.preflight import missing_right
from dcodex.testing import Farm, quiet_flags

#: Programs of the corpus under way at one time.
WIDTH = 4
#: An answer that takes longer means that the farm hangs.
ANSWER_S = 60.0
#: From the block for documentation (RFC 5737): it leads nowhere but to the test's own interface.
HOST_ADDRESS = "192.0.2.77"

HELLO = "print('hello')"


@dataclass(frozen=True, slots=True)
class Lab:
    """The farm under attack, and what the test planted on the host."""

    farm: Farm
    client: dcodex.Client
    watcher: Watcher
    #: The host before the farm began.
    before: Snapshot
    #: A random word in the farm's own environment, which no program may ever show.
    canary: str
    #: Addresses of the host's listeners, as host_network.py takes them.
    targets: tuple[str, ...]

    def words(self) -> dict[str, tuple[str, ...]]:
        """What braces in a row's `args` stand for."""
        return {
            "{runtime_dir}": (str(self.farm.runtime_dir),),
            "{canary}": (self.canary,),
            "{host}": (socket.gethostname(),),
            "{targets}": self.targets,
            "{halves}": _halves(self.canary, str(self.farm.runtime_dir)),
            "{oom_floor}": ("1001" if _may_hold_scores() else "0",),
        }

    def run(self, attack: Attack) -> Outcome:
        """Run one row, and a hello at once after a destructive one."""
        words = self.words()
        args = [word for arg in attack.args for word in words.get(arg, (arg,))]
        files = {
            path: dcodex.File(content, mode) for path, (content, mode) in attack.files().items()
        }
        result = self.client.run(
            language=attack.language,
            files=files,
            entry_point=attack.stored_as or f"main{Path(attack.file).suffix}",
            args=args,
            env=dict(attack.env),
            limits=attack.limits,
            cache=False,
            timeout_s=ANSWER_S,
        )
        hello = None
        if attack.destructive:
            hello = self.client.run(HELLO, cache=False, timeout_s=ANSWER_S)
        return Outcome(result, hello)


def _halves(*words: str) -> tuple[str, ...]:
    """Each word cut in two, for a program that searches for it without holding it."""
    return tuple(
        half for word in words for half in (word[: len(word) // 2], word[len(word) // 2 :])
    )


#: Linux capability number.
_CAP_SYS_RESOURCE = 24


def _may_hold_scores() -> bool:
    """Whether the farm may forbid programs to lower their oom_score_adj to 0."""
    rows = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return bool(int(rows["CapEff"], 16) >> _CAP_SYS_RESOURCE & 1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a row."""

    result: dcodex.Result
    #: The hello right after a destructive row.
    hello: dcodex.Result | None


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    right = missing_right()
    if right:
        pytest.skip(right)
    if os.geteuid() != 0:
        pytest.skip("needs root: the watcher reads other users' /proc and lends the host addresses")
    with contextlib.ExitStack() as stack:
        targets = stack.enter_context(_listeners())
        before = take(0)
        canary = secrets.token_hex(12)
        # As an operator's own variables: the farm inherits it, programs must not.
        os.environ["DCODEX_TEST_CANARY"] = canary
        stack.callback(os.environ.pop, "DCODEX_TEST_CANARY")
        cache = stack.enter_context(tempfile.TemporaryDirectory(prefix="dcodex-cache-"))
        farm = stack.enter_context(
            Farm(
                *quiet_flags(WIDTH + 2),
                "--compile_cpu_limit=4s",
                "--compile_wall_limit=40s",
                "--compile_memory_limit=768MB",
                f"--compile_cache_dir={cache}",
            )
        )
        client = stack.enter_context(dcodex.connect(farm.target))
        watcher = Watcher(farm.process.pid)
        watcher.start()
        stack.callback(watcher.stop)
        targets = (*targets, *_own_sockets(str(farm.runtime_dir)))
        yield Lab(farm, client, watcher, before, canary, targets)


@pytest.fixture(scope="session")
def outcomes(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Callable[[Attack], Outcome]]:
    """Starts every selected row at once, WIDTH wide; the tests then ask for theirs."""
    rows = {
        item.callspec.params["attack"].name: item.callspec.params["attack"]
        for item in request.session.items
        if hasattr(item, "callspec") and "attack" in item.callspec.params
    }
    with ThreadPoolExecutor(WIDTH) as pool:
        futures: dict[str, Future[Outcome]] = {
            name: pool.submit(lab.run, attack) for name, attack in rows.items()
        }
        # A row may wait for all that were started before it.
        patience = ANSWER_S * 2 * (1 + len(rows) / WIDTH)
        yield lambda attack: futures[attack.name].result(patience)
        for future in futures.values():
            future.cancel()


def _own_sockets(folder: str) -> Iterator[str]:
    for root, _, names in os.walk(folder):
        for name in names:
            yield f"unix={os.path.join(root, name)}"


@contextlib.contextmanager
def _listeners() -> Iterator[tuple[str, ...]]:
    """Listeners on the host's loopback, on an address of its own, and on Unix sockets.

    Any connection that arrives is answered, so that a program can tell that it got through.
    """
    targets = []
    ended = threading.Event()
    with contextlib.ExitStack() as stack:
        addresses = ["127.0.0.1"]
        if _lend_address(stack):
            addresses.append(HOST_ADDRESS)
        if os.path.exists("/proc/net/if_inet6") and Path("/proc/net/if_inet6").read_text():
            addresses.append("::1")
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            listener = stack.enter_context(socket.socket(family))
            listener.bind((address, 0))
            port = listener.getsockname()[1]
            targets.append(f"tcp={address}:{port}")
            _serve(stack, listener, ended)
            if family == socket.AF_INET:
                datagrams = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
                datagrams.bind((address, 0))
                targets.append(f"udp={address}:{datagrams.getsockname()[1]}")
                _serve_datagrams(stack, datagrams, ended)
        folder = stack.enter_context(_temporary_folder())
        name = f"dcodex-test-{os.getpid()}"
        for target, path in (
            (f"unix={folder}/docker.sock", f"{folder}/docker.sock"),
            (f"abstract={name}", f"\0{name}"),
        ):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(path)
            if not path.startswith("\0"):
                os.chmod(path, 0o777)
            targets.append(target)
            _serve(stack, listener, ended)
        try:
            yield tuple(targets)
        finally:
            ended.set()


@contextlib.contextmanager
def _temporary_folder() -> Iterator[str]:
    folder = f"/run/dcodex-test-{os.getpid()}"
    os.mkdir(folder, 0o755)
    try:
        yield folder
    finally:
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)


def _lend_address(stack: contextlib.ExitStack) -> bool:
    """Gives the host HOST_ADDRESS on a veth of its own; False where that cannot be."""
    name = f"dcx{os.getpid() % 100000}"
    commands = (
        ["ip", "link", "add", f"{name}a", "type", "veth", "peer", "name", f"{name}b"],
        ["ip", "address", "add", f"{HOST_ADDRESS}/32", "dev", f"{name}a"],
        ["ip", "link", "set", f"{name}a", "up"],
    )
    for number, command in enumerate(commands):
        try:
            done = subprocess.run(command, capture_output=True, timeout=10, check=False)
        except OSError:
            return False
        if done.returncode != 0:
            return False
        if number == 0:
            stack.callback(
                subprocess.run,
                ["ip", "link", "del", f"{name}a"],
                capture_output=True,
                timeout=10,
                check=False,
            )
    return True


def _serve(stack: contextlib.ExitStack, listener: socket.socket, ended: threading.Event) -> None:
    listener.listen()
    listener.settimeout(0.2)

    def answer() -> None:
        while not ended.is_set():
            try:
                peer, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            with peer:
                peer.sendall(b"reached the host\n")

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    stack.callback(thread.join, 5)


def _serve_datagrams(
    stack: contextlib.ExitStack, datagrams: socket.socket, ended: threading.Event
) -> None:
    datagrams.settimeout(0.2)

    def answer() -> None:
        while not ended.is_set():
            try:
                data, peer = datagrams.recvfrom(64)
            except TimeoutError:
                continue
            except OSError:
                return
            datagrams.sendto(data, peer)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    stack.callback(thread.join, 5)
