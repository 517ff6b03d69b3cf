"""Requests that wait: a process that keeps a number of them in the farm's queue.

They are of batch priority, so that those of the callers who are measured go first and the
queue stays as long as it is. One that is served all the same is replaced, and counted.

    python -m tests.bench.waiting TARGET COUNT

Answers each line on stdin with one of JSON: how many were served, and the CPU seconds that this
process took. Gives all of them up when stdin ends.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.bench.crew import ROOT, JobFailed

import dcodex


@dataclass(frozen=True, slots=True)
class Toll:
    """What the waiting requests have taken so far."""

    served: int
    own_cpu_s: float


class WaitingRequests:
    """The process, from the side of who starts it."""

    def __init__(self, target: str, count: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.waiting", target, str(count)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C is for the benchmark, which then ends this.
            process_group=0,
        )

    def read(self) -> Toll:
        """Ask it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise JobFailed("the process that keeps requests waiting has died")
        return Toll(**json.loads(line))

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


async def _keep_waiting(target: str, count: int) -> None:
    numbers = itertools.count(1)
    served = 0

    async def one(client: dcodex.AsyncClient) -> None:
        nonlocal served
        while True:
            source = f"print('waited', {next(numbers)})\n"
            await client.run(source, cache=False, priority="batch")
            served += 1

    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with dcodex.AsyncClient(target) as client:
        tasks = [asyncio.create_task(one(client)) for _ in range(count)]
        while await reader.readline():
            for task in tasks:
                if task.done():
                    task.result()  # says why it is not waiting any more
            toll = {"served": served, "own_cpu_s": time.process_time()}
            print(json.dumps(toll), flush=True)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(_keep_waiting(sys.argv[1], int(sys.argv[2])))
