"""A worker over a real link, against a coordinator played by the test.

Its sandbox is a plain child process, so that these tests need no right; tests/sandbox and
test_worker_host.py have the real one.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import zmq

from dcodex_shared.limits import DEFAULT_LIMITS, Limits
from dcodex_shared.messages import (
    LOST_S,
    Arm,
    Cancel,
    Credit,
    Finished,
    Goodbye,
    Heartbeat,
    Hello,
    Lease,
    Message,
    Output,
    Ready,
    Retire,
    Role,
    Signal,
    Stdin,
    StdinClose,
    StdinCredit,
    Stream,
    Verdict,
    Welcome,
)
from dcodex_shared.placement import ANY, Place
from dcodex_shared.program import Program, SourceFile, pack_program, unpack_records
from dcodex_shared.wire import decode, encode
from dcodex_worker.link import Link
from dcodex_worker.loop import PREPARING_MOST_S, Worker
from dcodex_worker.reports import Reporter
from dcodex_worker.runtimes import Armed, Stage, Workshop
from dcodex_worker.sandbox.box import Launch, Sandbox, SetupError

#: Every wait in these tests ends by then.
PATIENCE_S = 15.0


class PlainSandbox:
    """The interface of Sandbox over a child process without any isolation."""

    def __init__(self) -> None:
        self.stdin = self.stdout = self.stderr = self.status = self.pidfd = -1
        self.listener = -1
        self._child: subprocess.Popen[bytes] | None = None

    def launch(self, launch: Launch) -> float:
        began = time.monotonic()
        self._child = subprocess.Popen(
            list(launch.argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        child = self._child
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        self.stdin, self.stdout, self.stderr = (
            os.dup(pipe.fileno()) for pipe in (child.stdin, child.stdout, child.stderr)
        )
        for pipe in (child.stdin, child.stdout, child.stderr):
            pipe.close()
        for fd in (self.stdin, self.stdout, self.stderr):
            os.set_blocking(fd, False)
        self.status = self.pidfd = os.pidfd_open(child.pid)
        return began

    def close_stdin(self) -> None:
        if self.stdin >= 0:
            os.close(self.stdin)
            self.stdin = -1

    def exit_status(self) -> int | None:
        assert self._child is not None
        code = self._child.wait()
        return -code if code < 0 else code << 8

    def cpu_s(self) -> tuple[float, float]:
        return 0.0, 0.0

    def peak_memory_bytes(self) -> int:
        return 4096

    def oom_killed(self) -> bool:
        return False

    def processes_refused(self) -> bool:
        return False

    def signal(self, number: int) -> None:
        assert self._child is not None
        self._child.send_signal(number)

    def kill(self) -> None:
        if self._child is not None:
            try:
                os.killpg(self._child.pid, signal.SIGKILL)
            except ProcessLookupError:
                return

    def destroy(self) -> None:
        self.kill()
        if self._child is not None:
            self._child.wait()
            self._child = None
            self.close_stdin()
            for fd in (self.stdout, self.stderr, self.pidfd):
                os.close(fd)


class PlainArmed:
    """Runs the entry point's text: with this Python, or with sh for the language "c"."""

    def __init__(self, language: str, preparing: int = -1) -> None:
        self.language = language
        self.compile_cache_hit = False
        self._sandbox = PlainSandbox()
        self._preparing = preparing

    def listener(self) -> int:
        return -1

    def answer(self, happened: int) -> None:
        pass

    def preparing(self) -> int:
        return self._preparing

    def begin(self, program: Program) -> Stage:
        source = program.files[0].content.decode()
        command = (sys.executable, "-u", "-c") if self.language == "python" else ("sh", "-c")
        launch = Launch((), (*command, source), (), program.limits)
        return Stage(cast(Sandbox, self._sandbox), launch, False)

    def destroy(self) -> None:
        self._sandbox.destroy()


class PlainWorkshop:
    """Arms plain sandboxes; `failures` of them fail first."""

    def __init__(self, failures: int = 0, preparing: int = -1) -> None:
        """preparing: what the sandboxes' announcement waits for."""
        self.failures = failures
        self.preparing = preparing
        self.armed: list[str] = []
        #: Those of them that somebody waited for.
        self.awaited: list[str] = []

    def arm(self, language: str, awaited: bool = False) -> Armed:
        if self.failures:
            self.failures -= 1
            raise SetupError("mounts", 1)
        self.armed.append(language)
        if awaited:
            self.awaited.append(language)
        return cast(Armed, PlainArmed(language, self.preparing))


class Coordinator:
    """The test's end of the link."""

    def __init__(self, endpoint: str, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.socket = context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind(endpoint)
        self.peer = b""

    def send(self, message: Message, payload: bytes = b"") -> None:
        self.socket.send_multipart([self.peer, *encode(message, payload)])

    def receive(self) -> tuple[Message, bytes]:
        """The next message but heartbeats."""
        while self.socket.poll(int(PATIENCE_S * 1000)):
            self.peer, *frames = self.socket.recv_multipart()
            message, payload = decode(frames)
            if not isinstance(message, Heartbeat):
                return message, payload
        raise TimeoutError

    def meet(self, language: str = "python") -> None:
        assert self.receive()[0] == Hello(Role.WORKER, "w1")
        self.send(Welcome("boot-1"))
        self.await_ready(language)

    def await_ready(self, language: str = "python") -> None:
        ready, _ = self.receive()
        assert isinstance(ready, Ready)
        assert ready.language == language

    def lease(
        self,
        source: str,
        *,
        streaming: bool = False,
        window: int = 1 << 18,
        limits: Limits = DEFAULT_LIMITS,
        stdin: bytes = b"",
        stdin_complete: bool = True,
        language: str = "python",
        execution_id: str = "e1",
    ) -> None:
        files = (SourceFile("main.py", 0o644, source.encode()),)
        program = Program(language, files, "main.py", (), (), (), stdin, stdin_complete, limits)
        lease = Lease(execution_id, language, streaming, window, True)
        self.send(lease, pack_program(program))

    def finish(self) -> tuple[Finished, dict[Stream, bytes]]:
        """Everything up to Finished, the output put together by stream."""
        streams: dict[Stream, bytes] = dict.fromkeys(Stream, b"")
        while True:
            message, payload = self.receive()
            match message:
                case Output(stream=stream):
                    streams[Stream(stream)] += payload
                    self.send(Credit("e1", len(payload)))
                case Finished():
                    for which, data in unpack_records(payload):
                        streams[which] += data
                    return message, streams
                case StdinCredit():
                    continue
                case _:
                    raise AssertionError(message)

    def await_output(self, wanted: bytes) -> None:
        got = b""
        while wanted not in got:
            message, payload = self.receive()
            assert isinstance(message, Output | StdinCredit), message
            got += payload


class Farm:
    """A worker in a thread, and its coordinator."""

    def __init__(self, directory: Path) -> None:
        self.endpoint = f"ipc://{directory}/workers.sock"
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.coordinator = Coordinator(self.endpoint, self.context)
        self.exit_status: int | None = None
        self._retire_out, self.retire_in = os.pipe()
        self._report_out, self._report_in = os.pipe2(os.O_NONBLOCK)
        self._thread: threading.Thread | None = None

    def start(self, workshop: PlainWorkshop) -> Coordinator:
        link = Link(self.context, self.endpoint, Hello(Role.WORKER, "w1"))
        worker = Worker(
            link,
            cast(Workshop, workshop),
            Reporter(self._report_in),
            "python",
            self._retire_out,
            retire_grace_s=30.0,
            place=Place(ANY),
        )

        def serve() -> None:
            self.exit_status = worker.run()

        self._thread = threading.Thread(target=serve)
        self._thread.start()
        return self.coordinator

    def await_exit(self) -> int | None:
        assert self._thread is not None
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        return self.exit_status

    def close(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            self.coordinator.send(Goodbye("the test is over"))
            self.await_exit()
        self.coordinator.socket.close()
        self.context.term()
        for fd in (self._retire_out, self.retire_in, self._report_out, self._report_in):
            os.close(fd)


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    made = Farm(tmp_path)
    yield made
    made.close()


@pytest.fixture
def coordinator(farm: Farm) -> Coordinator:
    """With a worker that is ready for Python."""
    made = farm.start(PlainWorkshop())
    made.meet()
    return made


def test_a_unary_run_is_answered_by_one_message_and_the_worker_is_ready_again(
    coordinator: Coordinator,
) -> None:
    coordinator.lease("import sys; print('out'); print('err', file=sys.stderr); sys.exit(42)")
    message, payload = coordinator.receive()
    assert isinstance(message, Finished)
    assert (message.verdict, message.exit_code) == (Verdict.NONZERO_EXIT, 42)
    assert sorted(unpack_records(payload)) == [(Stream.STDOUT, b"out\n"), (Stream.STDERR, b"err\n")]
    assert [name for name, _ in message.stamps] == [
        "worker.received",
        "worker.launched",
        "worker.first_output",
        "worker.exited",
        "worker.sent",
    ]
    coordinator.await_ready()


def test_a_worker_is_ready_when_all_waits_that_was_started(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcodex_worker.loop.PREPARING_MOST_S", PATIENCE_S)
    preparing, notice = os.pipe()
    coordinator = farm.start(PlainWorkshop(preparing=preparing))
    assert coordinator.receive()[0] == Hello(Role.WORKER, "w1")
    coordinator.send(Welcome("boot-1"))
    # What comes then is the answer to this.
    coordinator.send(Arm("c"))
    os.close(notice)
    coordinator.await_ready("c")
    coordinator.lease("echo hello", language="c")
    assert coordinator.finish()[1][Stream.STDOUT] == b"hello\n"
    coordinator.await_ready("c")
    os.close(preparing)


def test_a_worker_is_ready_though_something_takes_long_to_start(farm: Farm) -> None:
    preparing, notice = os.pipe()
    coordinator = farm.start(PlainWorkshop(preparing=preparing))
    began = time.monotonic()
    coordinator.meet()
    assert time.monotonic() - began >= PREPARING_MOST_S / 2
    os.close(notice)
    os.close(preparing)


def test_streamed_output_comes_while_the_program_runs(coordinator: Coordinator) -> None:
    coordinator.lease(
        "print('early'); input(); print('late')", streaming=True, stdin_complete=False
    )
    coordinator.await_output(b"early\n")
    coordinator.send(Stdin("e1"), b"go\n")
    finished, streams = coordinator.finish()
    assert finished.verdict == Verdict.OK
    assert streams[Stream.STDOUT] == b"late\n"


def test_ping_pong_over_stdin_and_stdout(coordinator: Coordinator) -> None:
    echo = "import sys\nfor line in sys.stdin: print('>' + line, end='')"
    coordinator.lease(echo, streaming=True, stdin_complete=False)
    for number in range(20):
        line = f"{number}\n".encode()
        coordinator.send(Stdin("e1"), line)
        coordinator.await_output(b">" + line)
        coordinator.send(Credit("e1", len(line) + 1))
    coordinator.send(StdinClose("e1"))
    assert coordinator.finish()[0].verdict == Verdict.OK


def test_a_program_blocks_when_nobody_takes_its_output(coordinator: Coordinator) -> None:
    limits = dataclasses.replace(DEFAULT_LIMITS, output_bytes=1 << 30, wall_s=30.0)
    coordinator.lease(
        "import sys\nwhile True: sys.stdout.write('x' * 65536)",
        streaming=True,
        window=100_000,
        limits=limits,
    )
    taken = 0
    while taken < 100_000:
        message, payload = coordinator.receive()
        assert isinstance(message, Output)
        taken += len(payload)
    assert taken == 100_000
    # Nothing more but what credit allows.
    coordinator.send(Credit("e1", 30_000))
    message, payload = coordinator.receive()
    assert isinstance(message, Output)
    assert len(payload) == 30_000
    coordinator.send(Cancel("e1", "enough"))
    finished, _ = coordinator.finish()
    assert (finished.verdict, finished.message) == (Verdict.CANCELLED, "enough")
    coordinator.await_ready()


def test_a_mebibyte_of_unary_output_arrives_whole(coordinator: Coordinator) -> None:
    limits = dataclasses.replace(DEFAULT_LIMITS, output_bytes=1 << 30)
    coordinator.lease("print('x' * 1048576, end='')", limits=limits)
    message, payload = coordinator.receive()
    assert isinstance(message, Finished)
    assert b"".join(data for _, data in unpack_records(payload)) == b"x" * 1048576


def test_unary_output_beyond_one_message_arrives_whole(coordinator: Coordinator) -> None:
    limits = dataclasses.replace(DEFAULT_LIMITS, output_bytes=1 << 30)
    coordinator.lease("print('x' * 6_000_000, end='')", limits=limits)
    finished, streams = coordinator.finish()
    assert finished.verdict == Verdict.OK
    assert len(streams[Stream.STDOUT]) == 6_000_000


def test_output_is_cut_exactly_at_its_limit(coordinator: Coordinator) -> None:
    limits = dataclasses.replace(DEFAULT_LIMITS, output_bytes=100_000)
    for streaming in (False, True):
        coordinator.lease("while True: print('y' * 999)", limits=limits, streaming=streaming)
        finished, streams = coordinator.finish()
        assert finished.verdict == Verdict.OUTPUT_LIMIT
        assert finished.output_truncated
        assert len(streams[Stream.STDOUT]) == 100_000
        coordinator.await_ready()


def test_the_wall_limit_ends_a_sleeper_in_time(coordinator: Coordinator) -> None:
    limits = dataclasses.replace(DEFAULT_LIMITS, wall_s=0.25)
    coordinator.lease("import time; time.sleep(60)", limits=limits)
    finished, _ = coordinator.finish()
    assert finished.verdict == Verdict.WALL_LIMIT
    assert 0.25 <= finished.wall_s < 0.35


def test_a_background_child_that_holds_stdout_does_not_hold_the_answer(
    coordinator: Coordinator,
) -> None:
    coordinator.lease("sleep 60 & echo done", language="c")
    started = time.monotonic()
    finished, streams = coordinator.finish()
    assert finished.verdict == Verdict.OK
    assert streams[Stream.STDOUT] == b"done\n"
    assert time.monotonic() - started < 10


def test_a_program_that_closes_its_outputs_goes_on(coordinator: Coordinator) -> None:
    coordinator.lease("import os; os.close(1); os.close(2); input(); os._exit(7)", stdin=b"x\n")
    assert coordinator.finish()[0].exit_code == 7


def test_a_program_that_never_reads_its_stdin_is_no_trouble(coordinator: Coordinator) -> None:
    coordinator.lease("print('hi')", stdin=b"x" * 1_000_000)
    finished, streams = coordinator.finish()
    assert finished.verdict == Verdict.OK
    assert streams[Stream.STDOUT] == b"hi\n"


def test_a_megabyte_of_stdin_arrives_whole(coordinator: Coordinator) -> None:
    coordinator.lease("import sys; print(len(sys.stdin.read()))", stdin=b"x" * 1_000_000)
    assert coordinator.finish()[1][Stream.STDOUT] == b"1000000\n"


def test_a_signal_reaches_the_program_and_a_wrong_one_nothing(coordinator: Coordinator) -> None:
    waiter = (
        "import signal\n"
        "signal.signal(signal.SIGUSR1, lambda *_: exit(5))\n"
        "print('ready')\n"
        "while True: signal.pause()"
    )
    coordinator.lease(waiter, streaming=True)
    coordinator.await_output(b"ready")
    coordinator.send(Signal("e1", 64))
    coordinator.send(Signal("e1", 0))
    coordinator.send(Signal("e1", int(signal.SIGUSR1)))
    assert coordinator.finish()[0].exit_code == 5


def test_another_language_is_armed_on_demand_and_on_order(farm: Farm) -> None:
    workshop = PlainWorkshop()
    coordinator = farm.start(workshop)
    coordinator.meet()
    coordinator.lease("echo $((6 * 7))", language="c")
    assert coordinator.finish()[1][Stream.STDOUT] == b"42\n"
    coordinator.await_ready("c")
    coordinator.send(Arm("python"))
    coordinator.await_ready("python")
    assert workshop.armed == ["python", "c", "c", "python"]
    assert workshop.awaited == ["c"]


def test_messages_about_other_executions_and_garbage_change_nothing(
    coordinator: Coordinator,
) -> None:
    coordinator.lease("print(input())", streaming=True, stdin_complete=False)
    coordinator.send(Cancel("e0", "late"))
    coordinator.send(Stdin("e0"), b"wrong\n")
    coordinator.socket.send_multipart([coordinator.peer, b"\xc1garbage", b""])
    coordinator.socket.send_multipart([coordinator.peer, b"one frame"])
    coordinator.send(Stdin("e1"), b"right\n")
    finished, streams = coordinator.finish()
    assert finished.verdict == Verdict.OK
    assert streams[Stream.STDOUT] == b"right\n"


def test_a_payload_that_is_no_program_is_our_failure(coordinator: Coordinator) -> None:
    coordinator.send(Lease("e1", "python", False, 1000, False), b"\xc1")
    finished, _ = coordinator.finish()
    assert finished.verdict == Verdict.SYSTEM_ERROR
    coordinator.await_ready()


def test_a_failed_arming_is_tried_again(farm: Farm) -> None:
    farm.start(PlainWorkshop(failures=2)).meet()


def test_a_worker_that_cannot_arm_gives_up(farm: Farm) -> None:
    farm.start(PlainWorkshop(failures=99))
    assert farm.await_exit() == 1


def test_a_retired_worker_ends_when_idle(farm: Farm) -> None:
    coordinator = farm.start(PlainWorkshop())
    coordinator.meet()
    coordinator.send(Retire(30.0))
    assert isinstance(coordinator.receive()[0], Goodbye)
    assert farm.await_exit() == 0


def test_a_retired_worker_finishes_what_it_runs(farm: Farm) -> None:
    coordinator = farm.start(PlainWorkshop())
    coordinator.meet()
    source = "print('started'); print(input())"
    coordinator.lease(source, streaming=True, stdin_complete=False)
    coordinator.await_output(b"started\n")
    os.write(farm.retire_in, b"!")
    coordinator.send(Stdin("e1"), b"still here\n")
    finished, streams = coordinator.finish()
    assert finished.verdict == Verdict.OK
    assert streams[Stream.STDOUT] == b"still here\n"
    assert farm.await_exit() == 0


def test_the_grace_of_a_retirement_ends_what_goes_on(farm: Farm) -> None:
    coordinator = farm.start(PlainWorkshop())
    coordinator.meet()
    coordinator.lease("import time; time.sleep(60)")
    coordinator.send(Retire(0.1))
    finished, _ = coordinator.finish()
    assert (finished.verdict, finished.message) == (Verdict.CANCELLED, "the farm is draining")
    assert farm.await_exit() == 0


def test_a_broken_connection_ends_the_worker_and_what_it_runs(farm: Farm, tmp_path: Path) -> None:
    coordinator = farm.start(PlainWorkshop())
    coordinator.meet()
    mark = tmp_path / "alive"
    os.mkfifo(mark)
    coordinator.lease(f"open({str(mark)!r}, 'w').write('x'); import time; time.sleep(60)")
    with mark.open("rb") as alive:
        assert alive.read(1) == b"x"
    coordinator.socket.close()
    assert farm.await_exit() == 0


def test_a_silent_coordinator_is_lost(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcodex_worker.presence.LOST_S", 0.3)
    assert LOST_S > 0.3
    farm.start(PlainWorkshop()).meet()
    assert farm.await_exit() == 0


def test_no_descriptor_is_left_after_many_executions(coordinator: Coordinator) -> None:
    def one() -> None:
        coordinator.lease("print('x')", language="python")
        coordinator.finish()
        coordinator.await_ready()

    one()
    before = _descriptors()
    for _ in range(10):
        one()
    # A worker that has said it is ready may still close what it armed with.
    deadline = time.monotonic() + PREPARING_MOST_S + 1.0
    while _descriptors() > before and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert _descriptors() <= before


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))
