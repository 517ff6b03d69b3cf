"""Programs that import numpy and pandas come out as by hand, however they are ended."""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from tests.bench import venv
from tests.fidelity import by_hand
from tests.fidelity.corpus import Case, folder

import dcodex
from dcodex.demo.preflight import missing_right
from dcodex.testing import Farm, quiet_flags

CASES = folder("packages")
#: The first case waits until the packages are installed.
pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True, slots=True)
class Ways:
    """What runs a program both ways."""

    client: dcodex.Client
    interpreter: str
    environment: Mapping[str, str]


@pytest.fixture(scope="module")
def ways() -> Iterator[Ways]:
    right = missing_right()
    if right:
        pytest.skip(right)
    try:
        place = venv.prepare(venv.default_directory(), print)
    except venv.VenvMissing as error:
        pytest.skip(str(error))
    with (
        tempfile.TemporaryDirectory(prefix="dcodex-cache-") as cache,
        Farm(*quiet_flags(2), f"--compile_cache_dir={cache}", f"--python_venv={place}") as farm,
        dcodex.connect(farm.target) as client,
    ):
        text = client.run("import os; print(dict(os.environ))", cache=False).check().text
        yield Ways(client, f"{place}/bin/python3", ast.literal_eval(text))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_program_with_packages_comes_out_as_it_does_by_hand(case: Case, ways: Ways) -> None:
    hand = by_hand.run(case, ways.environment, ways.interpreter)
    farm = ways.client.run(
        case.source, limits=dcodex.Limits(cpu_s=20.0, wall_s=60.0), cache=False, timeout_s=90.0
    )
    assert farm.exit_code == hand.exit_code, (hand, farm)
    assert farm.stdout == hand.stdout
    assert farm.stderr == hand.stderr
