"""From what the coordinator says to what callers are told (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from dcodex_proto.classic import code_executor_pb2 as classic_pb
from dcodex_proto.v1 import executor_pb2 as pb
from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.farm import FarmView
from dcodex_shared.languages import BY_NAME
from dcodex_shared.limits import Limits
from dcodex_shared.messages import Finished, Payload, Queued, Started, Stream, Verdict

_INT32 = range(-(2**31), 2**31)
_VERDICTS = frozenset(map(int, Verdict))


def check_finished(message: Finished) -> None:
    """Raise RemoteProtocolError unless every field fits what callers are told."""
    if message.verdict not in _VERDICTS:
        raise RemoteProtocolError(f"no verdict {message.verdict}")
    if message.exit_code not in _INT32 or message.signal not in _INT32:
        raise RemoteProtocolError(f"exit code {message.exit_code} signal {message.signal}")


def finished(message: Finished) -> pb.Finished:
    """The final event; the message has passed check_finished()."""
    return pb.Finished(
        verdict=message.verdict,  # type: ignore[arg-type] # an enum's number, checked before
        exit_code=message.exit_code,
        signal=message.signal,
        message=message.message,
        usage=pb.Usage(
            cpu_user_s=message.cpu_user_s,
            cpu_system_s=message.cpu_system_s,
            wall_s=message.wall_s,
            peak_memory_bytes=message.peak_memory_bytes,
            queue_wait_s=message.queue_wait_s,
            compile_s=message.compile_s,
        ),
        output_truncated=message.output_truncated,
        cache_hit=message.cache_hit,
        compile_cache_hit=message.compile_cache_hit,
        worker_id=message.worker_id,
        warm=message.warm,
    )


def output_event(stream: Stream, size: int, parts: Iterable[Payload]) -> bytes:
    """A serialized ExecuteEvent with `size` bytes of output.

    Written by hand, for it is most of what a gateway sends: a message object would copy the
    bytes once when they are put in and once more when it is serialized.
    """
    return b"".join((_EVENT_TAGS[stream], _varint(size), *parts))


def serialized(message: bytes | Message) -> bytes:
    """A message as it goes out: what was written by hand here, or any other."""
    return message if isinstance(message, bytes) else message.SerializeToString()


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _tags(descriptor: Descriptor) -> dict[Stream, bytes]:
    """The keys of the three bytes fields: number, and wire type 2 (length-delimited)."""
    fields = descriptor.fields_by_name
    return {stream: _varint(fields[name].number << 3 | 2) for stream, name in _FIELDS.items()}


_FIELDS = {
    Stream.STDOUT: "stdout",
    Stream.STDERR: "stderr",
    Stream.COMPILER: "compiler_output",
}
_EVENT_TAGS = _tags(pb.ExecuteEvent.DESCRIPTOR)
_REPLY_TAGS = _tags(pb.RunReply.DESCRIPTOR)


def queued_event(message: Queued) -> pb.ExecuteEvent:
    """The request waits."""
    return pb.ExecuteEvent(queued=pb.Queued(position=max(message.position, 0)))


def started_event(message: Started) -> pb.ExecuteEvent:
    """The program begins."""
    return pb.ExecuteEvent(
        started=pb.Started(
            worker_id=message.worker_id, queue_wait_s=message.queue_wait_s, warm=message.warm
        )
    )


def run_reply(
    public_id: str, message: Finished, records: Sequence[tuple[Stream, Payload]]
) -> bytes:
    """A serialized RunReply: everything about an execution at once, written as output_event().

    The message has passed check_finished().
    """
    rest = pb.RunReply(execution_id=public_id, finished=finished(message))
    parts: list[Payload] = [rest.SerializeToString()]
    for stream, tag in _REPLY_TAGS.items():
        pieces = [data for its, data in records if its is stream]
        if pieces:
            parts += (tag, _varint(sum(map(len, pieces))), *pieces)
    return b"".join(parts)


def languages_reply(
    offered: tuple[tuple[str, str], ...], default: Limits, ceiling: Limits
) -> pb.LanguagesReply:
    """What the farm runs now."""
    entries = []
    for name, version in offered:
        language = BY_NAME.get(name)
        if language is None:
            # A host one version ahead: its language has no name here yet.
            continue
        entries.append(
            pb.Language(
                name=language.name,
                aliases=language.aliases,
                version=version,
                compiled=language.compiled,
                default_limits=_limits(default),
                extension=language.extensions[0],
                ceiling=_limits(ceiling),
            )
        )
    return pb.LanguagesReply(languages=entries)


def farm_snapshot(view: FarmView, tenant: str) -> pb.FarmSnapshot:
    """The farm as this tenant may see it: without the ids of others' executions."""
    return pb.FarmSnapshot(
        workers=[
            pb.Worker(
                id=worker.worker_id,
                host=worker.host,
                state=worker.state,  # type: ignore[arg-type] # an enum's number
                language=worker.language,
                execution_id=worker.execution_id if worker.tenant == tenant else "",
                state_age_s=worker.state_age_s,
                executions=worker.executions,
            )
            for worker in view.workers
        ],
        queues=[
            pb.Queue(language=queue.language, depth=queue.depth, oldest_wait_s=queue.oldest_wait_s)
            for queue in view.queues
        ],
        workers_desired=view.workers_desired,
        executions_total=view.executions_total,
        cache_hits_total=view.cache_hits_total,
        cache_misses_total=view.cache_misses_total,
        latency_p50_s=view.latency_p50_s,
        latency_p99_s=view.latency_p99_s,
    )


def system_metrics(view: FarmView) -> classic_pb.SystemMetrics:
    """The farm in the words of the classic API."""
    states = [worker.state for worker in view.workers]
    return classic_pb.SystemMetrics(
        active_workers=states.count(pb.WORKER_STATE_BUSY),
        idle_workers=states.count(pb.WORKER_STATE_IDLE),
        recycling_workers=states.count(pb.WORKER_STATE_RECYCLING),
        current_pool_size=len(states) - states.count(pb.WORKER_STATE_SHUTDOWN),
        total_requests_served=view.executions_total,
        p50_latency_ms=view.latency_p50_s * 1000.0,
        p99_latency_ms=view.latency_p99_s * 1000.0,
        cache_hits=view.cache_hits_total,
        cache_misses=view.cache_misses_total,
        peak_memory_usage_bytes=view.peak_memory_bytes,
        cpu_load_average=view.load_average,
    )


def _limits(limits: Limits) -> pb.Limits:
    return pb.Limits(
        cpu_s=limits.cpu_s,
        wall_s=limits.wall_s,
        memory_bytes=limits.memory_bytes,
        processes=limits.processes,
        output_bytes=limits.output_bytes,
        file_size_bytes=limits.file_size_bytes,
        open_files=limits.open_files,
    )
