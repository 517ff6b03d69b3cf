"""The asyncio client against a service on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import dcodex
from dcodex import AsyncClient, Stdout, Verdict

PATIENCE_S = 20.0


def in_loop(test: Callable[[AsyncClient], Coroutine[Any, Any, None]], target: str) -> None:
    """Run one test's coroutine with a client, within a bound."""

    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE_S), AsyncClient(target) as client:
            await test(client)

    asyncio.run(bounded())


def test_many_runs_at_once_share_a_client(target: str) -> None:
    async def test(client: AsyncClient) -> None:
        results = await asyncio.gather(*(client.run(f"out {n}") for n in range(20)))
        assert [result.text for result in results] == [str(n) for n in range(20)]

    in_loop(test, target)


def test_talking_to_a_program_while_it_runs(target: str) -> None:
    async def test(client: AsyncClient) -> None:
        async with client.execute("out a\nread\nexit 4") as execution:
            async for event in execution:
                if event == Stdout(b"a"):
                    break
            assert await execution.send_stdin("one ")
            assert await execution.send_stdin(b"two")
            await execution.close_stdin()
            result = await execution.result()
        assert result.text == "<one two>"
        assert (result.verdict, result.exit_code) == (Verdict.NONZERO_EXIT, 4)
        assert execution.finished is not None
        assert not await execution.send_stdin("late")

    in_loop(test, target)


def test_a_signal_reaches_the_program(target: str) -> None:
    async def test(client: AsyncClient) -> None:
        execution = client.execute("signal")
        assert await execution.signal(2)
        assert (await execution.result()).text == "2"

    in_loop(test, target)


def test_cancel_ends_the_iteration_with_cancelled(target: str, farm: Any) -> None:
    async def test(client: AsyncClient) -> None:
        execution = client.execute("hang")
        assert isinstance(await anext(execution), dcodex.Accepted)
        execution.cancel()
        with pytest.raises(dcodex.Cancelled):
            await execution.result()

    in_loop(test, target)
    assert farm.cancelled.wait(PATIENCE_S)


def test_a_cancelled_task_cancels_its_program(target: str, farm: Any) -> None:
    async def test(client: AsyncClient) -> None:
        execution = client.execute("hang")
        assert isinstance(await anext(execution), dcodex.Accepted)
        task = asyncio.create_task(execution.result())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    in_loop(test, target)
    assert farm.cancelled.wait(PATIENCE_S)


def test_a_traced_call_tells_its_stamps(target: str) -> None:
    async def test(client: AsyncClient) -> None:
        execution = client.execute("out x", trace=True)
        await execution.result()
        stamps = await execution.trace()
        assert [stamp.where for stamp in stamps] == ["gateway.received", "gateway.answered"]

    in_loop(test, target)


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"])
def test_a_refusal_is_an_exception(target: str, code: str) -> None:
    async def test(client: AsyncClient) -> None:
        with pytest.raises(dcodex.DCodeXError, match=r"limits\.cpu_s") as run:
            await client.run(f"reject {code}")
        with pytest.raises(type(run.value), match=r"limits\.cpu_s"):
            await client.execute(f"reject {code}").result()

    in_loop(test, target)


def test_languages_and_farm_are_values(target: str) -> None:
    async def test(client: AsyncClient) -> None:
        assert [language.name for language in await client.languages()] == ["python"]
        assert [s.executions_total async for s in client.farm()] == [0, 1, 2]

    in_loop(test, target)
