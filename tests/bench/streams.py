"""Output and ping-pong through the farm, against the same streams of a bare grpc.aio server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.bench.crew import ROOT, JobFailed
from tests.bench.echo_server import ECHO
from tests.bench.measure import median_ratio, spread
from tests.bench.plan import Scale
from tests.bench.results import Verdict
from tests.bench.workloads import PING_PONG, SUSTAINED, TARGETS, TITLES

import dcodex

LINES = 200
#: Rounds of sustained output, each side.
_ROUNDS = 3
_LIMITS = dcodex.Limits(cpu_s=60.0, wall_s=120.0, output_bytes=1 << 29)
_ECHO_PROGRAM = "import sys\nfor line in sys.stdin:\n    sys.stdout.write(line)\n"
_OUTPUT_PROGRAM = "import os\nchunk = b'x' * 65536\nfor _ in range({}):\n    os.write(1, chunk)\n"


class EchoServer:
    """The bare server, as a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.echo_server"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C is for the benchmark, which then ends this.
            process_group=0,
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        if not port:
            raise JobFailed("the bare grpc.aio server did not start")
        self.target = f"127.0.0.1:{port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def sustained(target: str, scale: Scale, say: Callable[[str], None]) -> Verdict:
    """Megabytes a second of a program's output at the caller."""
    size = scale.sustained_bytes
    programs = {"farm": _OUTPUT_PROGRAM.format(size // 65536), "bare": str(size)}
    rates: dict[str, list[list[float]]] = {"farm": [], "bare": []}
    with EchoServer() as server:
        targets = {"farm": target, "bare": server.target}
        for turn in range(_ROUNDS):
            say(f"W9 sustained: round {turn + 1} of {_ROUNDS}")
            for side, source in programs.items():
                seconds = asyncio.run(_receive(targets[side], source, size))
                rates[side].append([size / 1e6 / seconds])
    ours, bare = (spread([rate for (rate,) in rates[side]]).p50 for side in ("farm", "bare"))
    return Verdict(
        SUSTAINED,
        TITLES[SUSTAINED],
        median_ratio(rates["farm"], rates["bare"]),
        TARGETS[SUSTAINED],
        f"{ours:.0f} of {bare:.0f} MB/s",
    )


async def _receive(target: str, source: str, size: int) -> float:
    """Seconds from the first byte of output to the last."""
    received, began = 0, 0.0
    async with (
        dcodex.AsyncClient(target) as client,
        client.execute(source, cache=False, limits=_LIMITS, stdin_complete=True) as execution,
    ):
        async for event in execution:
            if isinstance(event, dcodex.Stdout):
                began = began or time.perf_counter()
                received += len(event.data)
        ended = time.perf_counter()
        _check(execution)
    if received != size:
        raise JobFailed(f"{SUSTAINED}: {received} of {size} bytes arrived")
    return ended - began


def ping_pong(target: str, scale: Scale, say: Callable[[str], None]) -> Verdict:
    """Round trips of lines through a program's stdin and stdout."""
    programs = {"farm": _ECHO_PROGRAM, "bare": ECHO.decode()}
    blocks: dict[str, list[list[float]]] = {"farm": [], "bare": []}
    with EchoServer() as server:
        targets = {"farm": target, "bare": server.target}
        for turn in range(scale.ping_pongs):
            say(f"{PING_PONG}: stream {turn + 1} of {scale.ping_pongs}")
            for side, source in programs.items():
                blocks[side].append(asyncio.run(_round_trips(targets[side], source)))
    ours, bare = (
        spread([trip for block in blocks[side] for trip in block]) for side in ("farm", "bare")
    )
    detail = ", ".join(
        f"{name} p50 {one.p50 * 1e6:.0f}, p90 {one.p90 * 1e6:.0f}, p99 {one.p99 * 1e6:.0f} us"
        for name, one in (("dcodex", ours), ("bare", bare))
    )
    ratio = median_ratio(blocks["farm"], blocks["bare"])
    return Verdict(PING_PONG, TITLES[PING_PONG], ratio, TARGETS[PING_PONG], detail)


async def _round_trips(target: str, source: str) -> list[float]:
    """Seconds of each."""
    trips: list[float] = []
    async with (
        dcodex.AsyncClient(target) as client,
        client.execute(source, cache=False, limits=_LIMITS) as execution,
    ):
        for number in range(-1, LINES):  # one more, for what a first line has to wait for
            line = f"line {number}\n".encode()
            began = time.perf_counter()
            await execution.send_stdin(line)
            echo = b""
            while len(echo) < len(line):
                event = await anext(execution)
                if isinstance(event, dcodex.Stdout):
                    echo += event.data
            if number >= 0:
                trips.append(time.perf_counter() - began)
            if echo != line:
                raise JobFailed(f"{PING_PONG}: {echo!r} came back for {line!r}")
        await execution.close_stdin()
        await execution.result()
        _check(execution)
    return trips


def _check(execution: dcodex.AsyncExecution) -> None:
    finished = execution.finished
    if finished is None or not finished.ok:
        raise JobFailed(f"a stream ended with {finished}")
