"""The farm as Farm, GetSystemMetrics and `dcodex top` show it."""

from __future__ import annotations

from collections.abc import Iterable

from dcodex_coordinator.execution import Execution
from dcodex_coordinator.fair_queue import FairQueue
from dcodex_coordinator.figures import Figures
from dcodex_coordinator.hosts import Host
from dcodex_coordinator.pool import WorkerPool
from dcodex_shared.farm import FarmView, QueueView, WorkerView


def farm_view(
    pool: WorkerPool,
    queue: FairQueue[Execution],
    hosts: Iterable[Host],
    figures: Figures,
    now: float,
) -> FarmView:
    """Everything at this moment."""
    workers = []
    for worker in pool:
        execution = worker.execution
        workers.append(
            WorkerView(
                worker_id=worker.worker_id,
                host=worker.host.name,
                state=int(worker.state),
                language=worker.language,
                execution_id=execution.submit.execution_id if execution else "",
                tenant=execution.submit.tenant if execution else "",
                state_age_s=now - worker.since,
                executions=worker.executions,
                story=worker.told_story(now),
            )
        )
    queues = []
    for language, depth in queue.depths().items():
        oldest = queue.oldest(language)
        queues.append(QueueView(language, depth, 0.0 if oldest is None else now - oldest))
    p50, p99 = figures.latency.quantiles(now, 0.5, 0.99)
    return FarmView(
        workers=tuple(workers),
        queues=tuple(queues),
        workers_desired=figures.workers_desired,
        executions_total=figures.executions,
        cache_hits_total=figures.cache_hits,
        cache_misses_total=figures.cache_misses,
        latency_p50_s=p50,
        latency_p99_s=p99,
        peak_memory_bytes=figures.peak_memory_bytes,
        load_average=sum(host.load_average for host in hosts),
    )
