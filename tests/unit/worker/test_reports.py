"""Records between workers and their host."""

from __future__ import annotations

import dataclasses
import os
import select
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_shared.messages import Verdict
from dcodex_worker.metrics import Metrics
from dcodex_worker.pressure import Pressure
from dcodex_worker.reports import (
    PAUSE_S,
    RECORDS_PER_READ,
    CompileCache,
    Inbox,
    Kind,
    Report,
    Reporter,
    open_pipe,
)

REPORTS = st.builds(
    Report,
    st.sampled_from(Kind),
    st.sampled_from(["python", "c", "cpp"]),
    st.floats(0, 1e6),
    st.sampled_from([int(verdict) for verdict in Verdict]),
    st.integers(0, 2**63),
    st.sampled_from(CompileCache),
)
ARMED = Report(Kind.ARMED, "python", 0.1)


@pytest.fixture(scope="module")
def pipe() -> Iterator[tuple[int, int]]:
    """Empty after every test."""
    ends = open_pipe()
    yield ends
    for fd in ends:
        os.close(fd)


def send(reporter: Reporter, report: Report) -> None:
    reporter.send(*dataclasses.astuple(report)[:-1])


@given(st.lists(REPORTS, max_size=5))
def test_reports_arrive_as_they_were_sent(pipe: tuple[int, int], reports: list[Report]) -> None:
    out, into = pipe
    reporter = Reporter(into)
    for report in reports:
        send(reporter, report)
    assert list(Inbox(out).take(0.0)) == reports


def test_a_record_is_written_in_one_piece(pipe: tuple[int, int]) -> None:
    out, into = pipe
    send(Reporter(into), ARMED)
    assert len(os.read(out, 2 * select.PIPE_BUF)) <= select.PIPE_BUF


def test_a_full_pipe_drops_reports_and_the_next_one_says_how_many(pipe: tuple[int, int]) -> None:
    out, into = pipe
    reporter, inbox = Reporter(into), Inbox(out)
    # More than the kernel's 1 MiB hold.
    sent = 50_000
    for _ in range(sent):
        reporter.send(ARMED.kind, ARMED.language, ARMED.seconds)
    arrived = 0
    while select.select([out], [], [], 0)[0]:
        arrived += len(list(inbox.take(0.0)))
    send(reporter, ARMED)
    (last,) = inbox.take(0.0)
    assert last.dropped > 0
    assert arrived + last.dropped == sent


def test_an_empty_pipe_holds_nothing(pipe: tuple[int, int]) -> None:
    assert list(Inbox(pipe[0]).take(0.0)) == []


def test_the_first_report_wakes_the_host_and_those_soon_after_wait(pipe: tuple[int, int]) -> None:
    out, into = pipe
    reporter, inbox = Reporter(into), Inbox(out)
    assert inbox.awaited()
    send(reporter, ARMED)
    assert list(inbox.take(5.0)) == [ARMED]
    assert not inbox.awaited()
    assert inbox.next_deadline() == 5.0 + PAUSE_S
    send(reporter, ARMED)
    send(reporter, ARMED)
    assert list(inbox.take(5.0 + PAUSE_S)) == [ARMED, ARMED]
    assert not inbox.awaited()
    # Nothing came: the next one is a first one again.
    assert list(inbox.take(5.0 + 2 * PAUSE_S)) == []
    assert inbox.awaited()


def test_more_reports_than_a_read_takes_are_read_at_once(pipe: tuple[int, int]) -> None:
    out, into = pipe
    reporter, inbox = Reporter(into), Inbox(out)
    for _ in range(RECORDS_PER_READ + 1):
        send(reporter, ARMED)
    assert len(list(inbox.take(5.0))) == RECORDS_PER_READ
    assert inbox.next_deadline() == 5.0
    assert len(list(inbox.take(5.0))) == 1
    assert inbox.next_deadline() > 5.0


def test_the_hosts_figures_count_what_workers_report() -> None:
    metrics = Metrics()
    metrics.take(Report(Kind.ARMED, "python", 0.004))
    metrics.take(Report(Kind.FINISHED, "cpp", 0.5, Verdict.OK, 100, CompileCache.HIT, dropped=3))
    metrics.show(5, 2, 1, Pressure(1000, 0.5, -1.0, 1.0))
    metrics.show(4, 3, 1, Pressure(1000, 0.5, -1.0, 1.0))

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, labels)

    assert value("dcodex_sandbox_arming_seconds_count", language="python") == 1
    assert value("dcodex_executions_total", language="cpp", verdict="ok") == 1
    assert value("dcodex_execution_seconds_sum", language="cpp") == 0.5
    assert value("dcodex_bytes_forwarded_total", language="cpp") == 100
    assert value("dcodex_compile_cache_requests_total", language="cpp", result="hit") == 1
    assert value("dcodex_worker_reports_dropped_total") == 3
    assert value("dcodex_worker_processes") == 4
    assert value("dcodex_template_restarts_total") == 3
