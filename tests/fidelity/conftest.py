"""One farm for the fidelity corpus, and both ways of running each case."""

from __future__ import annotations

import ast
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.fidelity import by_hand
from tests.fidelity.by_hand import Came
from tests.fidelity.corpus import Case

import dcodex
from dcodex.demo.preflight import missing_right
from dcodex.testing import Farm, quiet_flags

#: Cases under way at one time, each by hand and then through the farm.
WIDTH = 4
#: Generous: these programs are about what comes out, not about limits.
LIMITS = dcodex.Limits(cpu_s=20.0, wall_s=60.0, memory_bytes=2 << 30, output_bytes=8 << 20)
ANSWER_S = 90.0


@pytest.fixture(scope="session")
def fidelity_client() -> Iterator[dcodex.Client]:
    right = missing_right()
    if right:
        pytest.skip(right)
    if not os.path.exists(by_hand.INTERPRETER):
        pytest.skip(f"{by_hand.INTERPRETER} is missing: apt-get install python3")
    with (
        tempfile.TemporaryDirectory(prefix="dcodex-cache-") as cache,
        Farm(*quiet_flags(WIDTH), f"--compile_cache_dir={cache}") as farm,
        dcodex.connect(farm.target) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def environment(fidelity_client: dcodex.Client) -> Mapping[str, str]:
    """What the sandbox gives every program."""
    result = fidelity_client.run("import os; print(dict(os.environ))", cache=False)
    found: dict[str, str] = ast.literal_eval(result.check().text)
    return found


@pytest.fixture(scope="session")
def both_ways(
    fidelity_client: dcodex.Client,
    environment: Mapping[str, str],
    request: pytest.FixtureRequest,
) -> Iterator[Callable[[Case], tuple[Came, Came]]]:
    """Starts every selected case at once, WIDTH wide; the tests then ask for theirs."""

    def run(case: Case) -> tuple[Came, Came]:
        hand = by_hand.run(case, environment)
        result = fidelity_client.run(
            files={case.file: case.source, **dict(case.beside)},
            entry_point=case.file,
            env=dict(case.env),
            language=case.language,
            stdin=case.stdin,
            args=case.args,
            limits=LIMITS,
            cache=False,
            timeout_s=ANSWER_S,
        )
        refused = result.verdict is dcodex.Verdict.COMPILE_ERROR
        code = by_hand.NEVER_RAN if refused else result.exit_code
        farm = Came(result.stdout, result.stderr, code, result.compiler_output)
        return by_hand.settled(hand), by_hand.settled(farm)

    cases = [
        item.callspec.params["case"]
        for item in request.session.items
        if hasattr(item, "callspec") and isinstance(item.callspec.params.get("case"), Case)
    ]
    with ThreadPoolExecutor(WIDTH) as pool:
        futures = {case.name: pool.submit(run, case) for case in cases}
        yield lambda case: futures[case.name].result(ANSWER_S * (1 + len(cases)))
        for future in futures.values():
            future.cancel()
