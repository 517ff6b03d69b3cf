"""Live streams: events arrive while the program runs, and the caller can still act on it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest

import dcodex
from dcodex import Limits, Started, Stdout, Verdict, WorkerState
from dcodex.testing import Farm

PATIENCE_S = 60.0


def read_until(execution: dcodex.Execution, wanted: bytes) -> bytes:
    """Read stdout until it holds `wanted`; fails if the program ends before."""
    seen = b""
    for event in execution:
        if isinstance(event, Stdout):
            seen += event.data
            if wanted in seen:
                return seen
        assert not isinstance(event, dcodex.Finished), (event, seen)
    raise AssertionError(f"the stream ended after {seen!r}")


def test_events_tell_the_story_in_order(client: dcodex.Client) -> None:
    events = list(client.execute("print('hi')", stdin_complete=True, cache=False))
    # Python writes the line and its end apart, so there may be two pieces; and it may queue.
    kinds = dict.fromkeys(type(event).__name__ for event in events)
    kinds.pop("Queued", None)
    assert list(kinds) == ["Accepted", "Started", "Stdout", "Finished"]
    started = next(event for event in events if isinstance(event, Started))
    assert started.worker_id
    assert started.queue_wait_s >= 0


def test_a_line_can_be_answered_before_the_program_goes_on(client: dcodex.Client) -> None:
    source = "while True:\n    text = input()\n    print(text[::-1])\n    if text == 'end': break"
    with client.execute(source) as execution:
        for word in ("abc", "xyz", "end"):
            execution.send_stdin(f"{word}\n")
            # Not sent before the last answer was here: this is a conversation.
            assert read_until(execution, b"\n") == f"{word[::-1]}\n".encode()
        assert execution.result().verdict is Verdict.OK


def test_closing_stdin_is_end_of_file(client: dcodex.Client) -> None:
    with client.execute("import sys; print(len(sys.stdin.read()))") as execution:
        execution.send_stdin("12345")
        execution.close_stdin()
        assert execution.result().text == "5\n"


def test_a_megabyte_of_stdin_comes_back(client: dcodex.Client) -> None:
    source = "import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"
    data = os.urandom(1 << 20)
    with client.execute(source, limits=Limits(output_bytes=2 << 20)) as execution:
        # From another thread: a program that writes while it reads needs a reader too.
        def send() -> None:
            execution.send_stdin(data)
            execution.close_stdin()

        sender = threading.Thread(target=send)
        sender.start()
        result = execution.result()
        sender.join(PATIENCE_S)
    assert result.stdout == data


def test_a_program_that_never_reads_its_stdin_just_ends(client: dcodex.Client) -> None:
    with client.execute("print('done')") as execution:
        execution.send_stdin("x" * 200_000)
        assert execution.result().check().text == "done\n"


def test_a_signal_is_delivered(client: dcodex.Client) -> None:
    source = (
        "import signal, sys\n"
        "signal.signal(signal.SIGUSR1, lambda *_: (print('caught'), sys.exit(7)))\n"
        "print('ready')\n"
        "signal.pause()\n"
    )
    with client.execute(source) as execution:
        read_until(execution, b"ready\n")
        assert execution.signal(signal.SIGUSR1)
        result = execution.result()
    assert (result.text, result.exit_code) == ("caught\n", 7)


def test_stdout_and_stderr_keep_their_own_order(client: dcodex.Client) -> None:
    source = "import sys\nfor n in range(500):\n    print(n)\n    print(-n, file=sys.stderr)"
    result = client.execute(source, cache=False, stdin_complete=True).result()
    assert result.text.split() == [str(n) for n in range(500)]
    assert result.error_text.split() == [str(-n) for n in range(500)]


def test_cancelling_kills_the_program_and_frees_its_worker(
    client: dcodex.Client, farm: Farm
) -> None:
    source = "import time\nprint('running')\ntime.sleep(60)"
    for _ in range(6):  # more often than there are workers
        with client.execute(source, limits=Limits(wall_s=120)) as execution:
            read_until(execution, b"running\n")
    for snapshot in client.farm(timeout_s=PATIENCE_S):
        states = {worker.state for worker in snapshot.workers}
        if states == {WorkerState.IDLE}:
            break
    client.run("print('free')", timeout_s=PATIENCE_S).check()


def test_a_deadline_kills_the_program(client: dcodex.Client) -> None:
    with pytest.raises(dcodex.DeadlineExceeded):
        client.run("import time; time.sleep(60)", timeout_s=0.5, limits=Limits(wall_s=120))
    client.run("print('free')", timeout_s=PATIENCE_S).check()


def test_a_caller_whose_connection_goes_away_leaves_no_program_running(farm: Farm) -> None:
    gone = dcodex.connect(farm.target)
    execution = gone.execute("import time\nprint('running')\ntime.sleep(60)")
    read_until(execution, b"running\n")
    gone.close()
    with dcodex.connect(farm.target) as client:
        for snapshot in client.farm(timeout_s=PATIENCE_S):
            if {worker.state for worker in snapshot.workers} == {WorkerState.IDLE}:
                return
    pytest.fail("the worker was not freed")


def test_a_slow_reader_holds_the_program_back_and_loses_nothing(client: dcodex.Client) -> None:
    lines = 20_000
    source = f"for n in range({lines}): print(n, 'x' * 90)"
    limits = Limits(output_bytes=4 << 20, cpu_s=10, wall_s=60)
    with client.execute(source, limits=limits, cache=False) as execution:
        first = read_until(execution, b"\n")
        # Nothing is read here while other programs run.
        for _ in range(10):
            client.run("print(1)", cache=False).check()
        result = execution.result()
    whole = (first + result.stdout).decode()
    assert [int(line.split()[0]) for line in whole.splitlines()] == list(range(lines))


def test_a_signal_reaches_a_program_that_does_not_read_what_an_async_caller_sends(
    farm: Farm,
) -> None:
    source = (
        "import signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
        "print('ready', flush=True)\n"
        "print(signal.sigwait([signal.SIGUSR1]).name)\n"
    )

    async def talk() -> dcodex.Result:
        async with (
            dcodex.AsyncClient(farm.target) as client,
            client.execute(source, limits=dcodex.Limits(wall_s=60)) as execution,
        ):
            async for event in execution:
                if isinstance(event, dcodex.Stdout):
                    break
            sender = asyncio.create_task(execution.send_stdin(bytes(8 << 20)))
            done, _ = await asyncio.wait([sender], timeout=0.3)
            assert not done, "all of it went somewhere"
            assert await execution.signal(signal.SIGUSR1)
            result = await execution.result()
            assert not await execution.signal(signal.SIGUSR1)
            await sender
            return result

    # The newline behind the first word may come by itself.
    assert asyncio.run(talk()).text.lstrip("\n") == "SIGUSR1\n"
