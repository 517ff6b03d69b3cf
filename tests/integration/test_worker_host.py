"""The real host with real workers and sandboxes, against a coordinator played by the test.

What ends here ends the hard way: kill -9, SIGSTOP, a coordinator that goes. Each test then
looks that no process, cgroup or file is left.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from dcodex_shared.limits import DEFAULT_LIMITS
from dcodex_shared.messages import (
    Arm,
    Finished,
    Goodbye,
    Heartbeat,
    Hello,
    HostState,
    Lease,
    Message,
    Output,
    Ready,
    Retire,
    Role,
    StartWorker,
    StopWorker,
    Stream,
    Verdict,
    Welcome,
    WorkerExited,
)
from dcodex_shared.program import Program, SourceFile, pack_program, unpack_records
from dcodex_shared.wire import decode, encode
from dcodex_worker import leftovers
from dcodex_worker.sandbox import cgroup

#: Every wait in these tests ends by then: a template with numpy on a busy machine takes seconds.
PATIENCE_S = 40.0
SLOTS = 4
#: kill -9 of a worker must be known to the coordinator within this.
NEWS_S = 1.0

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes cgroups and ids")


class Coordinator:
    """The test's end of all links."""

    def __init__(self, endpoint: str) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._endpoint = endpoint
        self.boots = 0
        self.begin()

    def begin(self) -> None:
        """Be a new one."""
        self.boots += 1
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.bind(self._endpoint)
        #: The routing id of the host ("") and of each worker.
        self.peers: dict[str, bytes] = {}
        self._names: dict[bytes, str] = {}
        self._beat_at = 0.0
        self.ready: set[str] = set()
        self._seen: list[tuple[str, Message, bytes]] = []
        #: What the host said last, of what was awaited.
        self.host_state: HostState

    def end(self) -> None:
        self._socket.close()

    def close(self) -> None:
        self._socket.close()
        self._context.term()

    def send(self, name: str, message: Message, payload: bytes = b"") -> None:
        self._socket.send_multipart([self.peers[name], *encode(message, payload)])

    def await_message(
        self, wanted: Callable[[str, Message], bool], patience_s: float = PATIENCE_S
    ) -> tuple[str, Message, bytes]:
        """The first message, new or not taken yet, that is wanted; beats meanwhile."""
        deadline = time.monotonic() + patience_s
        while True:
            for entry in self._seen:
                if wanted(entry[0], entry[1]):
                    self._seen.remove(entry)
                    return entry
            now = time.monotonic()
            if now > deadline:
                raise TimeoutError
            if now >= self._beat_at:
                self._beat_at = now + 1.0
                for name in self.peers:
                    self.send(name, Heartbeat())
            if self._socket.poll(50):
                self._receive()

    def _receive(self) -> None:
        peer, *frames = self._socket.recv_multipart()
        message, payload = decode(frames)
        match message:
            case Hello(role=role, name=name):
                name = "" if role == Role.HOST else name
                self.peers[name] = peer
                self._names[peer] = name
                self.send(name, Welcome(f"boot-{self.boots}"))
            case Ready():
                self.ready.add(self._names[peer])
            case Goodbye():
                self.peers.pop(self._names[peer], None)
        if peer in self._names and not isinstance(message, Heartbeat):
            self._seen.append((self._names[peer], message, payload))

    def await_host(self) -> HostState:
        message = self.await_message(lambda _, message: isinstance(message, HostState))[1]
        assert isinstance(message, HostState)
        self.host_state = message
        return message

    def start_worker(self, worker_id: str = "w1", language: str = "python") -> None:
        self.send("", StartWorker(worker_id, language))
        self.await_message(lambda name, message: name == worker_id and isinstance(message, Ready))

    def rearm(self, language: str, worker_id: str = "w1") -> None:
        self.send(worker_id, Arm(language))
        self.await_ready(language, worker_id)

    def await_ready(self, language: str, worker_id: str = "w1") -> None:
        def wanted(name: str, message: Message) -> bool:
            return name == worker_id and isinstance(message, Ready) and message.language == language

        self.await_message(wanted)

    def lease(self, source: str, worker_id: str = "w1", language: str = "python") -> None:
        files = (SourceFile("main.py", 0o644, source.encode()),)
        program = Program(
            language=language,
            files=files,
            entry_point="main.py",
            args=(),
            compile_args=(),
            environment=(),
            stdin=b"",
            stdin_complete=True,
            limits=DEFAULT_LIMITS,
        )
        self.send(worker_id, Lease("e1", language, True, 1 << 18, False), pack_program(program))

    def await_output(self, wanted: bytes) -> None:
        got = b""
        while wanted not in got:
            got += self.await_message(lambda _, message: isinstance(message, Output))[2]

    def finish(self) -> tuple[Finished, bytes]:
        _, message, payload = self.await_message(lambda _, seen: isinstance(seen, Finished))
        assert isinstance(message, Finished)
        rest = [data for stream, data in unpack_records(payload) if stream is Stream.STDOUT]
        return message, b"".join(rest)

    def await_exit_of(self, worker_id: str, patience_s: float = PATIENCE_S) -> WorkerExited:
        def wanted(_: str, message: Message) -> bool:
            return isinstance(message, WorkerExited) and message.worker_id == worker_id

        message = self.await_message(wanted, patience_s)[1]
        assert isinstance(message, WorkerExited)
        return message


class Machine:
    """One host process and everything below it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        endpoint = f"ipc://{directory}/workers.sock"
        self.coordinator = Coordinator(endpoint)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "dcodex_worker"),
                f"--runtime_dir={directory}",
                f"--compile_cache_dir={directory}/cache",
                f"--slots={SLOTS}",
                "--drain_grace=10",
                "--preload=",
            ]
        )

    def descendants(self) -> dict[int, str]:
        """Every process below the host, sandboxes included, with its command's name."""
        parents: dict[int, list[int]] = {}
        names: dict[int, str] = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError):
                    head, _, tail = Path(f"/proc/{entry}/stat").read_text().rpartition(")")
                    names[int(entry)] = head.partition("(")[2]
                    parents.setdefault(int(tail.split()[1]), []).append(int(entry))
        found: dict[int, str] = {}
        waiting = [self.process.pid]
        while waiting:
            for child in parents.get(waiting.pop(), ()):
                found[child] = names[child]
                waiting.append(child)
        return found

    def pid_of(self, name: str) -> int:
        """The only process of this name below the host."""
        (pid,) = [pid for pid, found in self.descendants().items() if found == name]
        return pid

    def cgroups(self) -> list[str]:
        """The host's cgroups, and their leaves."""
        return [
            os.path.join(where, name)
            for where, names, _ in os.walk("/sys/fs/cgroup")
            if f"dcodex-{self.process.pid}" in where + "/" + " ".join(names)
            for name in names
            if f"dcodex-{self.process.pid}" in f"{where}/{name}"
        ]

    def leaves(self) -> list[str]:
        """The cgroups of workers."""
        return [path for path in self.cgroups() if not path.endswith(str(self.process.pid))]

    def populations(self) -> dict[str, int]:
        """How many processes are in each of the workers' cgroups, the keepers included."""
        return {path: len(Path(path, "cgroup.procs").read_text().split()) for path in self.leaves()}

    def await_clean(self, of: str = "") -> None:
        """Return when no cgroup whose path holds `of` is left, of which nobody tells."""
        deadline = time.monotonic() + PATIENCE_S
        while left := [path for path in self.leaves() if of in path]:
            assert time.monotonic() < deadline, left
            threading.Event().wait(0.02)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        self.coordinator.close()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """With a host that has said what it can."""
    made = Machine(tmp_path)
    try:
        made.coordinator.await_host()
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def all_gone(pids: dict[int, str]) -> Iterator[None]:
    """These processes are gone soon after the block."""
    with contextlib.ExitStack() as stack:
        pidfds = {}
        for pid, name in pids.items():
            fd = os.pidfd_open(pid)
            stack.callback(os.close, fd)
            pidfds[fd] = name
        yield
        deadline = time.monotonic() + PATIENCE_S
        for fd, name in pidfds.items():
            patience = max(0.0, deadline - time.monotonic())
            assert select.select([fd], [], [], patience)[0], f"{name} is left"


SLEEPER = "import time; print('started'); time.sleep(60)"


def test_a_host_says_what_it_can_and_a_worker_runs_a_program(machine: Machine) -> None:
    state = machine.coordinator.await_host()
    assert "python" in dict(state.languages)
    assert state.slots == SLOTS
    assert state.memory_available_bytes > 0
    assert not state.draining
    machine.coordinator.start_worker()
    machine.coordinator.lease("print(6 * 7)")
    machine.coordinator.finish()


def test_a_worker_that_changes_its_language_keeps_its_keepers_and_nothing_armed(
    machine: Machine,
) -> None:
    coordinator = machine.coordinator
    if "c" not in dict(coordinator.host_state.languages):
        pytest.skip("needs a C compiler")
    coordinator.start_worker()
    coordinator.rearm("c")
    before = machine.populations()
    keepers = {path for path, count in before.items() if "/w0-python" in path}
    assert keepers
    assert all(before[path] == 1 for path in keepers)
    # One request that comes while nothing is armed for it, and those after it.
    coordinator.lease("raise SystemExit(42)")
    assert coordinator.finish()[0].exit_code == 42
    coordinator.await_ready("python")
    after = machine.populations()
    assert after.keys() == before.keys()
    assert all((after[path] == 1) == (path not in keepers) for path in after)


def test_a_worker_killed_in_the_middle_is_told_of_at_once_and_leaves_nothing(
    machine: Machine,
) -> None:
    coordinator = machine.coordinator
    coordinator.start_worker()
    coordinator.start_worker("w2")
    coordinator.lease(SLEEPER)
    coordinator.await_output(b"started")
    before = machine.descendants()
    (first, _) = sorted(pid for pid, name in before.items() if name == "dcodex-worker")
    leaves_before = machine.leaves()
    os.kill(first, signal.SIGKILL)
    assert "signal 9" in coordinator.await_exit_of("w1", NEWS_S).reason
    # The other one works on.
    coordinator.lease("print('alive')", "w2")
    assert coordinator.finish()[0].verdict == Verdict.OK
    assert any("w0-" in path for path in leaves_before)
    machine.await_clean("w0-")
    coordinator.start_worker("w3")


def test_a_worker_waits_for_the_place_of_a_dead_one_where_all_are_taken(machine: Machine) -> None:
    coordinator = machine.coordinator
    for number in range(SLOTS):
        coordinator.start_worker(f"w{number}")
    pid = min(pid for pid, name in machine.descendants().items() if name == "dcodex-worker")
    os.kill(pid, signal.SIGKILL)
    coordinator.await_exit_of("w0", NEWS_S)
    coordinator.start_worker("again")


def test_a_stopped_worker_is_ended_on_order(machine: Machine) -> None:
    coordinator = machine.coordinator
    coordinator.start_worker()
    pid = machine.pid_of("dcodex-worker")
    os.kill(pid, signal.SIGSTOP)
    with all_gone({pid: "worker"}):
        coordinator.send("", StopWorker("w1"))
    coordinator.await_exit_of("w1")
    machine.await_clean()


def test_when_the_host_is_killed_everything_dies_with_it(machine: Machine) -> None:
    coordinator = machine.coordinator
    coordinator.start_worker()
    coordinator.lease(SLEEPER)
    coordinator.await_output(b"started")
    below = machine.descendants()
    assert {"dcodex-nursery", "dcodex-worker"} <= set(below.values())
    with all_gone(below):
        machine.process.kill()


def test_what_a_killed_host_left_is_swept_and_what_a_living_one_holds_is_not(
    machine: Machine,
) -> None:
    machine.coordinator.start_worker()
    leftovers.sweep(str(machine.directory), "")
    assert machine.leaves()
    machine.coordinator.lease("print('alive')")
    assert machine.coordinator.finish()[0].verdict == Verdict.OK
    below = machine.descendants()
    with all_gone(below):
        machine.process.kill()
        machine.process.wait(PATIENCE_S)
    assert machine.cgroups()
    leftovers.sweep(str(machine.directory), "")
    assert machine.cgroups() == []
    assert not list(machine.directory.glob("host-*"))


@pytest.mark.parametrize("prefix", ["dcodex-", "dcodex-survey-"])
def test_what_a_host_left_that_was_killed_right_after_its_start_is_swept(
    prefix: str, tmp_path: Path
) -> None:
    name = _groups_of_a_dead_host(prefix)
    assert leftovers.sweep(str(tmp_path), "") == 1
    assert not _groups(name)


def test_what_a_host_left_that_was_killed_while_it_removed_its_groups_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = _groups_of_a_dead_host("dcodex-")
    version, bases = cgroup.find(
        Path("/proc/self/mounts").read_text(), Path("/proc/self/cgroup").read_text()
    )
    trees = tuple((controller, f"{base}/{name}") for controller, base in bases)

    class Killed(Exception):
        pass

    def kill_after_one(path: str, remove: Callable[[str], None] = os.rmdir) -> None:
        remove(path)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(cgroup, "_rmdir", kill_after_one)
        with pytest.raises(Killed):
            cgroup.remove_tree(cgroup.Tree(version, trees))
    leftovers.sweep(str(tmp_path), "")
    assert not _groups(name)


def _groups_of_a_dead_host(prefix: str) -> str:
    """Their name."""
    script = (
        "import os, sys; from dcodex_worker.sandbox.cgroup import create_tree\n"
        "create_tree(f'{sys.argv[1]}{os.getpid()}')"
    )
    with subprocess.Popen([sys.executable, "-P", "-c", script, prefix]) as made:
        assert made.wait(PATIENCE_S) == 0
    name = f"{prefix}{made.pid}"
    assert _groups(name)
    return name


def _groups(name: str) -> list[str]:
    return [
        f"{directory}/{child}"
        for directory, below, _ in os.walk("/sys/fs/cgroup")
        for child in below
        if child == name
    ]


def test_a_host_without_its_nursery_ends_and_leaves_nothing(machine: Machine) -> None:
    coordinator = machine.coordinator
    coordinator.start_worker()
    coordinator.lease(SLEEPER)
    coordinator.await_output(b"started")
    with all_gone(machine.descendants()):
        os.kill(machine.pid_of("dcodex-nursery"), signal.SIGKILL)
    assert machine.process.wait(PATIENCE_S) == 1
    assert machine.cgroups() == []


def test_a_killed_template_is_replaced(machine: Machine) -> None:
    coordinator = machine.coordinator
    coordinator.start_worker()
    ours = {"dcodex-nursery", "dcodex-worker"}
    templates = [
        pid
        for pid in machine.descendants()
        if _parent(pid) == machine.process.pid and _name(pid) not in ours
    ]
    assert templates
    with all_gone(dict.fromkeys(templates, "template")):
        for pid in templates:
            os.kill(pid, signal.SIGKILL)
    for number in range(2, 4):
        coordinator.start_worker(f"w{number}")
    coordinator.lease("print('alive')", "w3")
    assert coordinator.finish()[0].verdict == Verdict.OK
    coordinator.lease("print('alive')", "w1")
    assert coordinator.finish()[0].verdict == Verdict.OK


def test_a_drain_lets_programs_finish_and_leaves_nothing(machine: Machine) -> None:
    coordinator = machine.coordinator
    coordinator.start_worker()
    coordinator.start_worker("w2")
    coordinator.lease("import time; print('started'); time.sleep(0.5); print('ended')")
    coordinator.await_output(b"started")
    below = machine.descendants()
    with all_gone(below):
        machine.process.send_signal(signal.SIGTERM)
        coordinator.await_message(
            lambda _, message: isinstance(message, HostState) and message.draining
        )
        coordinator.send("w1", Retire(10.0))
        coordinator.send("w2", Retire(10.0))
        finished, _ = coordinator.finish()
        assert finished.verdict == Verdict.OK
    assert machine.process.wait(PATIENCE_S) == 0
    assert machine.cgroups() == []
    assert [path.name for path in machine.directory.iterdir() if path.name != "cache"] == [
        "workers.sock"
    ]


def test_a_drain_without_a_coordinator_ends_by_itself(machine: Machine) -> None:
    machine.coordinator.start_worker()
    machine.coordinator.end()
    machine.process.send_signal(signal.SIGTERM)
    assert machine.process.wait(PATIENCE_S) == 0
    assert machine.cgroups() == []


def test_a_second_signal_ends_what_runs(machine: Machine) -> None:
    coordinator = machine.coordinator
    coordinator.start_worker()
    coordinator.lease(SLEEPER)
    coordinator.await_output(b"started")
    with all_gone(machine.descendants()):
        for _ in range(2):
            machine.process.send_signal(signal.SIGINT)
            coordinator.await_message(
                lambda _, message: isinstance(message, HostState | WorkerExited)
            )
    assert machine.process.wait(PATIENCE_S) == 0


def test_a_new_coordinator_finds_a_host_without_workers(machine: Machine) -> None:
    coordinator = machine.coordinator
    coordinator.start_worker()
    coordinator.lease(SLEEPER)
    coordinator.await_output(b"started")
    with all_gone({machine.pid_of("dcodex-worker"): "worker"}):
        coordinator.end()
        coordinator.begin()
        coordinator.await_host()
    coordinator.start_worker("w2")
    coordinator.lease("print('again')", "w2")
    assert coordinator.finish()[0].verdict == Verdict.OK


def test_a_full_host_says_so(machine: Machine) -> None:
    coordinator = machine.coordinator
    for number in range(4):
        coordinator.start_worker(f"w{number}")
    coordinator.send("", StartWorker("w9", "python"))
    assert coordinator.await_exit_of("w9").reason == "the host is full"


def test_a_language_that_cannot_be_armed_ends_the_worker(machine: Machine) -> None:
    machine.coordinator.send("", StartWorker("w1", "cobol"))
    assert "status 1" in machine.coordinator.await_exit_of("w1").reason
    machine.await_clean()


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()
