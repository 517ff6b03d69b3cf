"""How a farm looks on a terminal: snapshots in, something for rich to draw out (pure)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dcodex.values import FarmSnapshot, Worker, WorkerState

STATES = (WorkerState.IDLE, WorkerState.BUSY, WorkerState.RECYCLING, WorkerState.SHUTDOWN)
STYLES = {
    WorkerState.IDLE: "green",
    WorkerState.BUSY: "bold yellow",
    WorkerState.RECYCLING: "cyan",
    WorkerState.SHUTDOWN: "red",
}
#: One letter a worker in the strip of them all.
LETTERS = {
    WorkerState.IDLE: "·",
    WorkerState.BUSY: "█",
    WorkerState.RECYCLING: "↻",
    WorkerState.SHUTDOWN: "x",
}
#: Lines of the view that are not workers or queues.
FRAME_LINES = 10


@dataclass(frozen=True, slots=True)
class Rate:
    """Executions a second, over the snapshots seen lately."""

    per_s: float = 0.0
    #: (monotonic seconds, executions) pairs, oldest first; at most WINDOW_S long.
    seen: tuple[tuple[float, int], ...] = ()


#: What a rate is averaged over, in seconds.
WINDOW_S = 5.0


def next_rate(rate: Rate, total: int, now: float) -> Rate:
    """The rate after a look at the counter; starts anew where the counter did."""
    seen = tuple((at, count) for at, count in rate.seen if now - at <= WINDOW_S)
    if seen and seen[-1][1] > total:
        seen = ()
    seen = (*seen[-100:], (now, total))
    elapsed = seen[-1][0] - seen[0][0]
    return Rate((total - seen[0][1]) / elapsed if elapsed > 0 else 0.0, seen)


def draw(
    snapshot: FarmSnapshot, target: str, rate: Rate, age_s: float, lines: int
) -> RenderableType:
    """The view: a summary, the queues, the workers (as many as `lines` has room for).

    age_s: how long ago the snapshot came; the ages in it grow by that.
    """
    queues = _draw_queues(snapshot, age_s)
    room = max(3, lines - FRAME_LINES - len(snapshot.queues))
    return Group(
        _draw_summary(snapshot, target, rate),
        _draw_strip(snapshot),
        queues,
        _draw_workers(snapshot, age_s, room),
    )


def _draw_summary(snapshot: FarmSnapshot, target: str, rate: Rate) -> Text:
    looked_up = snapshot.cache_hits_total + snapshot.cache_misses_total
    hits = f"{snapshot.cache_hits_total / looked_up:.0%}" if looked_up else "-"
    text = Text()
    text.append(f"{target}  ", style="bold")
    text.append(f"{rate.per_s:.1f} runs/s  {snapshot.executions_total:,} in all  cache {hits}  ")
    text.append(
        f"latency p50 {_milliseconds(snapshot.latency_p50_s)} "
        f"p99 {_milliseconds(snapshot.latency_p99_s)}"
    )
    return text


def _draw_strip(snapshot: FarmSnapshot) -> Text:
    counts = Counter(worker.state for worker in snapshot.workers)
    text = Text()
    for state in STATES:
        text.append(f"{counts[state]} {state.name}  ", style=STYLES[state])
    text.append(f"{len(snapshot.workers)} of {snapshot.workers_desired} wanted\n")
    for worker in sorted(snapshot.workers, key=_order):
        text.append(LETTERS.get(worker.state, "?"), style=STYLES.get(worker.state, ""))
    return text


def _draw_queues(snapshot: FarmSnapshot, age_s: float) -> RenderableType:
    waiting = [queue for queue in snapshot.queues if queue.depth]
    if not waiting:
        return Text("nothing waits", style="dim")
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("queue", "waiting", "oldest"):
        table.add_column(name, justify="left" if name == "queue" else "right")
    for queue in sorted(waiting, key=lambda queue: -queue.depth):
        table.add_row(queue.language, str(queue.depth), _seconds(queue.oldest_wait_s + age_s))
    return table


def _draw_workers(snapshot: FarmSnapshot, age_s: float, room: int) -> RenderableType:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("worker", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("language", no_wrap=True)
    table.add_column("for", justify="right", no_wrap=True)
    table.add_column("runs", justify="right", no_wrap=True)
    table.add_column("execution", no_wrap=True)
    workers = sorted(snapshot.workers, key=_order)
    for worker in workers[:room]:
        table.add_row(
            worker.id,
            Text(worker.state.name, style=STYLES.get(worker.state, "")),
            worker.language,
            _seconds(worker.state_age_s + age_s),
            f"{worker.executions:,}",
            worker.execution_id[:12],
        )
    if len(workers) > room:
        table.caption = f"and {len(workers) - room} more"
    return table


def _order(worker: Worker) -> tuple[str, int]:
    """Stable from one view to the next: by name, then number."""
    name = worker.id.rstrip("0123456789")
    return (name, int(worker.id[len(name) :] or 0))


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
