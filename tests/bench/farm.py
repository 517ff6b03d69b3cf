"""The farm under test: started with what the benchmark needs, and watched until it is quiet."""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import Self

from tests.bench.crew import JobFailed

import dcodex
from dcodex.testing import Farm

#: A farm that is not quiet after this long never will be, in seconds; measuring goes on.
_QUIET_WITHIN_S = 20.0
#: Ten thousand requests take a single gateway some seconds, on a busy machine many.
_QUEUED_WITHIN_S = 180.0
#: More than any test has waiting.
_MAX_QUEUED = 20_000


class BenchFarm:
    """A farm of a fixed number of workers, with caches and directories of its own."""

    def __init__(self, workers: int, venv: str, languages: str = "", gateways: int = 1) -> None:
        flags = [
            f"--min_workers={workers}",
            f"--max_workers={workers}",
            f"--slots={max(64, workers)}",
            f"--max_queued={_MAX_QUEUED}",
            f"--max_queued_per_tenant={_MAX_QUEUED}",
            f"--gateways={gateways}",
            "--log_level=warning",
        ]
        if venv:
            flags.append(f"--python_venv={venv}")
        if languages:
            flags.append(f"--languages={languages}")
        self.workers = workers
        self._farm = Farm(*flags)
        self.target = self._farm.target
        self.words = self._farm.words
        #: The process of `dcodex up`.
        self.pid = self._farm.process.pid
        self._client = dcodex.connect(self.target)

    def settle(self) -> None:
        """Wait until no worker has anything left to do."""
        with contextlib.suppress(dcodex.DCodeXError):  # a noisy figure is better than none
            for snapshot in self._client.farm(timeout_s=_QUIET_WITHIN_S):
                states = [worker.state for worker in snapshot.workers]
                if states.count(dcodex.WorkerState.IDLE) >= self.workers:
                    return

    def await_depth(self, depth: int) -> None:
        """Wait until this many requests are in the queue; raises JobFailed where they never are."""
        deepest = 0
        with contextlib.suppress(dcodex.DeadlineExceeded):
            for snapshot in self._client.farm(timeout_s=_QUEUED_WITHIN_S):
                deepest = max(deepest, sum(queue.depth for queue in snapshot.queues))
                if deepest >= depth:
                    return
        raise JobFailed(f"{depth} requests shall wait, but no more than {deepest} do")

    def log_tail(self) -> str:
        """The end of what its parts logged."""
        return self._farm.log_tail()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()
        self._farm.stop()
        self._farm.remove()
