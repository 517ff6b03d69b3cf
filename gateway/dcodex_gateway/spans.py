"""From a traced request's stamps to the spans that a tracing system shows (pure).

Stamps are seconds of the monotonic clock of the machine that each process is on. Another
machine's clock has another zero: what does not fit into the time that its caller saw it take is
put into the middle of that.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: version-traceid-parentid-flags, of which later versions may have more behind.
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1
MAX_TRACEPARENT_CHARS = 256


@dataclass(frozen=True, slots=True)
class Parent:
    """The span of a caller that ours belong under; ids of 0: a trace of its own."""

    trace_id: int
    span_id: int
    sampled: bool


#: For a call that nobody traces yet.
NEW_TRACE = Parent(0, 0, True)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a request's time; seconds of the gateway's monotonic clock."""

    service: str
    name: str
    start: float
    end: float
    #: Its parent's place among the spans; -1: the first has none of ours.
    parent: int
    #: (name, time) of what happened within.
    events: tuple[tuple[str, float], ...] = ()


#: Service, name, first and last stamp, place of the parent, stamps shown as events.
_LAYOUT = (
    ("coordinator", "coordinate", "coordinator.received", "coordinator.finished", 0, ()),
    ("coordinator", "queue", "coordinator.received", "coordinator.leased", 1, ()),
    ("worker", "execute", "worker.received", "worker.sent", 1, ()),
    ("worker", "prepare", "worker.received", "worker.launched", 3, ()),
    ("worker", "program", "worker.launched", "worker.exited", 3, ("worker.first_output",)),
)


def parse_traceparent(text: str) -> Parent | None:
    """The W3C header; None where it is none, which starts a trace anew as the standard has it."""
    if len(text) > MAX_TRACEPARENT_CHARS:
        return None
    match = _TRACEPARENT.fullmatch(text.strip())
    if match is None or match[1] == "ff" or (match[1] == "00" and match[5]):
        return None
    trace_id, span_id = int(match[2], 16), int(match[3], 16)
    if not trace_id or not span_id:
        return None
    return Parent(trace_id, span_id, bool(int(match[4], 16) & _SAMPLED))


def build_spans(
    name: str, received: float, answered: float, stamps: Sequence[tuple[str, float]]
) -> list[Span]:
    """The gateway's span and, below it, those that its stamps tell of; any may be missing."""
    at = {where: time for where, time in stamps if math.isfinite(time)}
    spans = [Span("gateway", name, received, answered, -1)]
    #: Place in _LAYOUT to place in spans, and by how much that process's clock differs.
    places, shifts = {0: 0}, {"gateway": 0.0}
    for number, (service, title, first, last, above, shown) in enumerate(_LAYOUT, 1):
        if first not in at or last not in at or above not in places or at[last] < at[first]:
            continue
        parent = spans[places[above]]
        if service not in shifts:
            shifts[service] = _shift(at[first], at[last], parent)
        shift = shifts[service]
        events = tuple((event, at[event] + shift) for event in shown if event in at)
        places[number] = len(spans)
        spans.append(
            Span(service, title, at[first] + shift, at[last] + shift, places[above], events)
        )
    return spans


def _shift(start: float, end: float, parent: Span) -> float:
    """What to add to a process's times so that it did its work while it was waited for."""
    if parent.start <= start and end <= parent.end:
        return 0.0
    return (parent.start + parent.end) / 2 - (start + end) / 2


def attributes(
    execution_id: str, tenant: str, language: str, verdict: str, worker_id: str
) -> Mapping[str, str]:
    """What is told of a request: nothing of its program."""
    told = {
        "rpc.system": "grpc",
        "dcodex.execution_id": execution_id,
        "dcodex.tenant": tenant,
        "dcodex.language": language,
        "dcodex.verdict": verdict,
        "dcodex.worker_id": worker_id,
    }
    return {name: value for name, value in told.items() if value}
