"""What stamps and callers' headers become in a tracing system."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_gateway.spans import Parent, Span, build_spans, parse_traceparent

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
STAMPS = (
    ("coordinator.received", 1.1),
    ("coordinator.leased", 1.3),
    ("worker.received", 1.4),
    ("worker.launched", 1.5),
    ("worker.first_output", 1.6),
    ("worker.exited", 1.7),
    ("worker.sent", 1.75),
    ("coordinator.finished", 1.8),
)


def test_a_traceparent_is_read_with_its_decision() -> None:
    expected = Parent(int(TRACE, 16), int(PARENT, 16), True)
    assert parse_traceparent(f"00-{TRACE}-{PARENT}-01") == expected
    assert parse_traceparent(f"cc-{TRACE}-{PARENT}-03-more") == expected
    unsampled = parse_traceparent(f"00-{TRACE}-{PARENT}-00")
    assert unsampled is not None
    assert not unsampled.sampled


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        f"00-{TRACE}-{PARENT}",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"cc-{TRACE}-{PARENT}-01-{'x' * 1000}",
    ],
)
def test_what_is_no_traceparent_starts_a_trace_anew(text: str) -> None:
    assert parse_traceparent(text) is None


def test_each_process_has_its_span_below_that_of_whoever_asked_it() -> None:
    assert build_spans("Run", 1.0, 2.0, STAMPS) == [
        Span("gateway", "Run", 1.0, 2.0, -1),
        Span("coordinator", "coordinate", 1.1, 1.8, 0),
        Span("coordinator", "queue", 1.1, 1.3, 1),
        Span("worker", "execute", 1.4, 1.75, 1),
        Span("worker", "prepare", 1.4, 1.5, 3),
        Span("worker", "program", 1.5, 1.7, 3, (("worker.first_output", 1.6),)),
    ]


def test_a_cached_answer_has_no_worker() -> None:
    stamps = (STAMPS[0], STAMPS[-1])
    names = [span.name for span in build_spans("Run", 1.0, 2.0, stamps)]
    assert names == ["Run", "coordinate"]


def test_another_machines_clock_is_brought_to_ours() -> None:
    far = tuple(
        (where, at + (5000.0 if where.startswith("worker") else 0.0)) for where, at in STAMPS
    )
    spans = {span.name: span for span in build_spans("Run", 1.0, 2.0, far)}
    outer, inner = spans["coordinate"], spans["execute"]
    assert inner.end - inner.start == pytest.approx(0.35)
    assert inner.start - outer.start == pytest.approx(outer.end - inner.end)
    assert spans["program"].start - inner.start == pytest.approx(0.1)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([where for where, _ in STAMPS]) | st.text(max_size=5), st.floats()
        )
    )
)
def test_no_stamps_of_a_worker_are_an_error(stamps: list[tuple[str, float]]) -> None:
    spans = build_spans("Run", 1.0, 2.0, stamps)
    for number, span in enumerate(spans):
        assert span.parent < number
        assert span.start <= span.end
