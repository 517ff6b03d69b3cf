"""A program cannot tell, byte for byte, that it was not started by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.fidelity.by_hand import Came
from tests.fidelity.corpus import CASES, Case

#: The first case waits for the farm, and each for those before it.
pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_program_comes_out_as_it_does_by_hand(
    case: Case, both_ways: Callable[[Case], tuple[Came, Came]]
) -> None:
    hand, farm = both_ways(case)
    assert farm.exit_code == hand.exit_code, (hand, farm)
    assert farm.stdout == hand.stdout
    assert farm.stderr == hand.stderr
    assert farm.compiler == hand.compiler


def test_the_corpus_is_as_large_as_it_says() -> None:
    problems = [case for case in CASES if case.name.startswith("problems/")]
    assert sum(case.language == "python" for case in problems) >= 150
    assert sum(case.language != "python" for case in problems) >= 60
