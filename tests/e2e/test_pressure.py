"""What callers do to a service without meaning to, or meaning to: each gets what is its own."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from tests.chaos.parts import table
from tests.chaos.stalled import GROWTH_MOST_BYTES, growth, spacious

import dcodex
from dcodex import Limits, Stderr, Stdout, WorkerState
from dcodex.testing import Farm

#: For what has no bound of its own here, on a machine that does much else.
PATIENCE_S = 60.0
#: From a caller's end to its program's: some 20 ms where the machine is free.
KILLED_S = 5.0
READERS = 50
STALLED_S = 5.0
#: Workers of the farm that many call at once.
WORKERS = 16
#: What may wait in the farm of many callers, and how many call.
QUEUED_MOST = 100
CALLERS = 1000
#: A caller beyond the bound is told so, not left to wait for its turn; gRPC alone takes
#: seconds to bring this many calls in.
REFUSED_S = 20.0
SLOW_CONNECTIONS = 200
#: More than all windows of one stream hold together.
STDIN_BYTES = 24 << 20


@pytest.fixture(scope="module")
def wide_farm() -> Iterator[Farm]:
    """Many workers, a short queue."""
    with Farm(
        f"--min_workers={WORKERS}",
        f"--max_workers={WORKERS}",
        f"--max_queued_per_tenant={QUEUED_MOST}",
        "--max_output_limit=1GB",
        "--max_wall_limit=600s",
        "--log_level=warning",
    ) as farm:
        yield farm


def test_memory_stays_flat_while_readers_of_endless_output_stall() -> None:
    with spacious(READERS) as farm:
        grown = growth(farm, READERS, STALLED_S, print)
    assert len(grown) >= READERS + 3
    assert max(grown.values()) <= GROWTH_MOST_BYTES, grown


def test_of_many_callers_at_once_those_beyond_the_bound_are_refused_and_the_rest_served(
    wide_farm: Farm,
) -> None:
    served, refused = asyncio.run(crowd(wide_farm.target))
    assert served + len(refused) == CALLERS
    assert served >= QUEUED_MOST
    assert refused
    for retry_after_s, waited_s in refused:
        assert retry_after_s > 0
        assert waited_s < REFUSED_S


async def crowd(target: str) -> tuple[int, list[tuple[float, float]]]:
    """How many were served, and of the others: when to come again, and how soon told."""
    refused = []

    async def ask(client: dcodex.AsyncClient, number: int) -> int:
        begun = time.monotonic()
        try:
            result = await client.run(f"import time; time.sleep(0.3); print({number})", cache=False)
        except dcodex.Exhausted as error:
            refused.append((error.retry_after_s, time.monotonic() - begun))
            return 0
        assert result.text == f"{number}\n"
        return 1

    async with dcodex.AsyncClient(target) as one, dcodex.AsyncClient(target) as two:
        served = await asyncio.gather(*(ask((one, two)[n % 2], n) for n in range(CALLERS)))
    return sum(served), refused


def test_a_program_that_does_not_read_holds_its_sender_back_and_nobody_else(
    client: dcodex.Client,
) -> None:
    source = (
        "import hashlib, signal, sys\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
        "print('ready')\n"
        "signal.sigwait([signal.SIGUSR1])\n"
        "print(hashlib.file_digest(sys.stdin.buffer, 'sha256').hexdigest())\n"
    )
    piece = os.urandom(1 << 16)
    count = STDIN_BYTES // len(piece)
    sent = []
    with client.execute(source, limits=Limits(cpu_s=20, wall_s=60), cache=False) as execution:

        def send() -> None:
            for _ in range(count):
                assert execution.send_stdin(piece)
                sent.append(time.monotonic())
            execution.close_stdin()

        read_until(execution, b"ready\n")
        sender = threading.Thread(target=send)
        sender.start()
        # Others are served meanwhile, and the sender comes to a halt.
        still = 0
        while still < 3:
            before = len(sent)
            client.run("print(1)", cache=False).check()
            still = still + 1 if len(sent) == before else 0
        assert len(sent) < count
        # Past all the stdin that waits.
        assert execution.signal(signal.SIGUSR1)
        result = execution.result()
        sender.join(PATIENCE_S)
    assert result.text.strip() == hashlib.sha256(piece * count).hexdigest()


def test_each_stream_keeps_its_order_when_the_reader_is_slower_than_the_writer(
    client: dcodex.Client,
) -> None:
    count = 20_000
    source = (
        "import os\n"
        f"for first in range(0, {count}, 10):\n"
        "    for n in range(first, first + 10): os.write(1, b'%d\\n' % n)\n"
        "    for n in range(first, first + 10): os.write(2, b'%d\\n' % -n)\n"
    )
    limits = Limits(output_bytes=4 << 20, cpu_s=20, wall_s=60)
    seen = {Stdout: b"", Stderr: b""}
    pieces = 0
    with client.execute(source, limits=limits, cache=False) as execution:
        for event in execution:
            if isinstance(event, Stdout | Stderr):
                seen[type(event)] += event.data
                pieces += 1
                if pieces % 20 == 0:
                    client.run("print(1)", cache=False).check()
    assert seen[Stdout].split() == [b"%d" % n for n in range(count)]
    assert seen[Stderr].split() == [b"%d" % -n for n in range(count)]
    # Writes of one stream that waited for this reader came together.
    assert pieces < count


SLEEPER = """\
import ctypes, sys, time
ctypes.CDLL(None).prctl(15, sys.argv[1].encode(), 0, 0, 0)
print('running', flush=True)
time.sleep(50)
"""
Running = Callable[[], None]


def by_cancelling(target: str, name: str, running: Running) -> None:
    with dcodex.connect(target) as client:
        execution = sleep(client, name)
        read_until(execution, b"running\n")
        running()
        execution.cancel()


def by_deadline(target: str, name: str, running: Running) -> None:
    with dcodex.connect(target) as client:
        execution = sleep(client, name, timeout_s=3.0)
        read_until(execution, b"running\n")
        running()
        with pytest.raises(dcodex.DeadlineExceeded):
            execution.result()


def by_dying(target: str, name: str, running: Running) -> None:
    words = (
        "import sys, dcodex\n"
        "client = dcodex.connect(sys.argv[1])\n"
        "options = dict(args=[sys.argv[3]], limits=dcodex.Limits(wall_s=60), cache=False)\n"
        "for event in client.execute(sys.argv[2], **options):\n"
        "    if isinstance(event, dcodex.Stdout): print(flush=True)\n"
    )
    command = [sys.executable, "-P", "-c", words, target, SLEEPER, name]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == b"\n"
        running()
        caller.kill()


@pytest.mark.parametrize("end", [by_cancelling, by_deadline, by_dying])
def test_the_end_of_a_call_is_the_end_of_its_program(
    farm: Farm, client: dcodex.Client, end: Callable[[str, str, Running], None]
) -> None:
    name = f"sl-{os.urandom(5).hex()}"
    found: list[int] = []

    def running() -> None:
        (pid,) = [process.pid for process in table().values() if process.name == name]
        found.append(os.pidfd_open(pid))

    end(farm.target, name, running)
    ended = time.monotonic()
    (descriptor,) = found
    assert select.select([descriptor], [], [], KILLED_S)[0], "the program lives on"
    print(f"dead {1000 * (time.monotonic() - ended):.0f} ms after its caller's end")
    os.close(descriptor)
    for snapshot in client.farm(timeout_s=PATIENCE_S):
        if {worker.state for worker in snapshot.workers} == {WorkerState.IDLE}:
            break


def test_connections_that_say_little_hold_nobody_up_and_are_closed(
    farm: Farm, client: dcodex.Client
) -> None:
    host, port = farm.target.split(":")
    poll = select.poll()
    with contextlib.ExitStack() as stack:
        slow = {}
        for number in range(SLOW_CONNECTIONS):
            connection = stack.enter_context(socket.create_connection((host, int(port))))
            # Some say nothing, some a part of the first line that HTTP/2 has.
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[: number % 24])
            slow[connection.fileno()] = connection
            poll.register(connection, select.POLLIN)
        for number in range(20):
            assert client.run(f"print({number})", cache=False).text == f"{number}\n"
        deadline = time.monotonic() + PATIENCE_S
        while slow:
            assert time.monotonic() < deadline, f"{len(slow)} connections are still open"
            for descriptor, _ in poll.poll(1000):
                # A server that closes may first say which settings it would have had.
                try:
                    closed = not slow[descriptor].recv(4096)
                except ConnectionResetError:
                    closed = True
                if closed:
                    poll.unregister(descriptor)
                    slow.pop(descriptor)


def sleep(client: dcodex.Client, name: str, timeout_s: float | None = None) -> dcodex.Execution:
    """A program that other processes see by this name, and that does nothing for long."""
    limits = Limits(wall_s=60)
    return client.execute(SLEEPER, args=[name], limits=limits, cache=False, timeout_s=timeout_s)


def read_until(execution: dcodex.Execution, wanted: bytes) -> None:
    """Read stdout until it holds `wanted`."""
    seen = b""
    for event in execution:
        if isinstance(event, Stdout):
            seen += event.data
            if wanted in seen:
                return
    raise AssertionError(f"the stream ended after {seen!r}: {execution.finished}")
