"""Callers that ask without end and believe no answer."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from random import Random

from tests.chaos.jobs import CPU_S, WALL_S, Job, Manner, draw
from tests.chaos.tally import Tally

import dcodex
from dcodex import Limits, Stdout, Verdict

#: Far beyond what any recovery takes; whoever waits longer has been forgotten.
PATIENCE_S = 90.0
#: A caller that was told UNAVAILABLE asks again after this.
PAUSE_S = 0.2
#: The deadline of jobs that miss it on purpose.
DEADLINE_S = 1.0

_CODES: dict[type[dcodex.DCodeXError], str] = {
    dcodex.Unavailable: "UNAVAILABLE",
    dcodex.Exhausted: "RESOURCE_EXHAUSTED",
    dcodex.DeadlineExceeded: "DEADLINE_EXCEEDED",
    dcodex.InvalidRequest: "INVALID_ARGUMENT",
    dcodex.Cancelled: "CANCELLED",
    dcodex.ServiceFailed: "INTERNAL",
}


class Mistaken(Exception):
    """The answer is wrong; the message says how."""


class Failed(Exception):
    """The service said that it failed the program, in a verdict."""


class Caller:
    """One of many; asks one thing at a time."""

    def __init__(
        self,
        client: dcodex.AsyncClient,
        rng: Random,
        tally: Tally,
        disturbances: Callable[[], int],
    ) -> None:
        """disturbances: how often a coordinator was, so far: each forgets what it knew."""
        self._client = client
        self._rng = rng
        self._tally = tally
        self._disturbances = disturbances

    async def serve(self, until: asyncio.Event) -> None:
        """Ask until the event is set."""
        while not until.is_set():
            if not await self._ask(draw(self._rng)):
                await _pause(until, PAUSE_S)

    async def _ask(self, job: Job) -> bool:
        """False where the service cannot serve now."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._perform(job)
        except TimeoutError:
            self._tally.unanswered(job.kind, f"nothing came in {PATIENCE_S:g} s")
        except Mistaken as error:
            self._tally.mistaken(job.kind, str(error))
        except Failed as error:
            self._tally.failed(job.kind, "SYSTEM_ERROR", _plain(str(error)))
        except dcodex.DCodeXError as error:
            code = _CODES.get(type(error), type(error).__name__)
            self._tally.failed(job.kind, code, _plain(str(error)))
            return False
        else:
            self._tally.answered(job.kind, time.monotonic() - begun)
        return True

    async def _perform(self, job: Job) -> None:
        match job.manner:
            case Manner.RUN:
                _check(job, await self._run(job))
            case Manner.STREAM | Manner.TALK:
                await self._stream(job)
            case Manner.CANCEL:
                await self._cancel(job)
            case Manner.DEADLINE:
                try:
                    result = await self._run(job, DEADLINE_S)
                except dcodex.DeadlineExceeded:
                    return
                raise Mistaken(f"it ended before its deadline, with {result.verdict.name}")
            case Manner.TWICE:
                await self._twice(job)

    async def _run(
        self, job: Job, timeout_s: float | None = None, execution_id: str = ""
    ) -> dcodex.Result:
        result = await self._client.run(
            job.source,
            timeout_s=timeout_s,
            language=job.language,
            args=job.args,
            limits=_limits(job),
            cache=False,
            execution_id=execution_id,
        )
        if result.verdict is Verdict.SYSTEM_ERROR:
            raise Failed(result.message)
        return result

    async def _stream(self, job: Job) -> None:
        execution = self._open(job)
        seen = b""
        waiting = list(job.lines)
        try:
            async with execution:
                if job.manner is Manner.TALK:
                    await execution.send_stdin(waiting.pop(0) + "\n")
                async for event in execution:
                    if not isinstance(event, Stdout):
                        continue
                    seen += event.data
                    answered = len(job.lines) - len(waiting)
                    if job.manner is Manner.TALK and seen.count(b"\n") == answered:
                        if waiting:
                            await execution.send_stdin(waiting.pop(0) + "\n")
                        else:
                            await execution.close_stdin()
        except dcodex.DCodeXError:
            if not job.stdout.startswith(seen):
                raise Mistaken(f"before an error it wrote {seen[-200:]!r}") from None
            raise
        finished = execution.finished
        if finished is None:
            raise Mistaken("the stream ended without a verdict")
        if finished.verdict is Verdict.SYSTEM_ERROR:
            if not job.stdout.startswith(seen):
                raise Mistaken(f"before {finished.message!r} it wrote {seen[-200:]!r}")
            raise Failed(finished.message)
        _compare(job, seen, finished.exit_code, f"{finished.verdict.name} {finished.message}")

    async def _cancel(self, job: Job) -> None:
        async with self._open(job) as execution:
            async for event in execution:
                if isinstance(event, Stdout):
                    execution.cancel()
                    return
        raise Mistaken(f"it ended by itself: {execution.finished}")

    async def _twice(self, job: Job) -> None:
        name = f"chaos-{job.args[0]}"
        before = self._disturbances()
        one, two = await asyncio.gather(
            self._run(job, execution_id=name),
            self._run(job, execution_id=name),
            return_exceptions=True,
        )
        for outcome in (one, two):
            if isinstance(outcome, dcodex.Result):
                if not outcome.text.startswith(job.args[0] + " "):
                    raise Mistaken(f"{outcome.verdict.name} {outcome.stdout[:200]!r}")
            else:
                raise outcome
        assert isinstance(one, dcodex.Result)
        assert isinstance(two, dcodex.Result)
        if one.stdout != two.stdout and self._disturbances() == before:
            raise Mistaken(f"one id, two results: {one.stdout!r} and {two.stdout!r}")

    def _open(self, job: Job) -> dcodex.AsyncExecution:
        return self._client.execute(
            job.source,
            language=job.language,
            args=job.args,
            limits=_limits(job),
            cache=False,
            stdin_complete=job.manner is not Manner.TALK,
        )


def _limits(job: Job) -> Limits:
    return Limits(cpu_s=CPU_S, wall_s=WALL_S, output_bytes=job.output_bytes)


def _check(job: Job, result: dcodex.Result) -> None:
    words = f"{result.verdict.name} {result.message} {result.stderr[-200:]!r}"
    _compare(job, result.stdout, result.exit_code, words)


def _compare(job: Job, stdout: bytes, exit_code: int, words: str) -> None:
    if (stdout, exit_code) != (job.stdout, job.exit_code):
        raise Mistaken(
            f"{words}: exit code {exit_code} for {job.exit_code}, {len(stdout)} bytes for "
            f"{len(job.stdout)}, ending {stdout[-60:]!r} for {job.stdout[-60:]!r}"
        )


def _plain(words: str) -> str:
    """Without what differs each time, so that alike errors are counted together."""
    return re.sub(r"\b[0-9a-f]{8,}\b|\d+(\.\d+)?", "N", words)[:160]


async def _pause(until: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await until.wait()
    except TimeoutError:
        pass
