"""What caller processes are asked and answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bench.jobs import (
    Answer,
    Job,
    dump_answer,
    dump_job,
    join,
    load_answer,
    load_job,
    share_out,
)
from tests.bench.workloads import BY_KEY, text


def test_a_job_survives_its_way_to_a_caller() -> None:
    job = Job(workload="W1", peer=("bwrap", "--"), callers=8, seconds=1.5, number=7)
    assert load_job(dump_job(job)) == job


def test_an_answer_survives_its_way_back() -> None:
    answer = Answer((0.1, 0.2), 0.3, 0.05, "late")
    assert load_answer(dump_answer(answer)) == answer


@given(callers=st.integers(1, 40), processes=st.integers(1, 4))
def test_every_caller_of_a_job_is_in_one_part(callers: int, processes: int) -> None:
    parts = share_out(Job(workload="W1", callers=callers, rate=10.0), processes)
    assert sum(part.callers for part in parts) == callers
    assert all(part.callers > 0 for part in parts)
    assert sum(part.rate for part in parts) == pytest.approx(10.0)


def test_parts_of_a_job_share_neither_texts_nor_directories() -> None:
    parts = share_out(Job(workload="W1", callers=8, number=5, directory="/d"), 2)
    assert len({part.directory for part in parts}) == 2
    assert abs(parts[0].number - parts[1].number) >= 1 << 20


def test_answers_of_parts_are_one_answer() -> None:
    whole = join([Answer((1.0,), 2.0, 0.5, "bad"), Answer((3.0, 4.0), 3.0, 0.25, "bad")])
    assert whole == Answer((1.0, 3.0, 4.0), 3.0, 0.75, "bad")
    assert whole.rate == 1.0


def test_a_unique_text_differs_and_is_expected_to() -> None:
    for workload in BY_KEY.values():
        assert text(workload.source, 1) != text(workload.source, 2)
        assert text(workload.expect, 1) != text(workload.expect, 2)
