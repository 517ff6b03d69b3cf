"""The service's messages to this SDK's values."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields

from dcodex.values import (
    Accepted,
    CompilerOutput,
    Event,
    FarmSnapshot,
    Finished,
    Language,
    Limits,
    Queue,
    Queued,
    Result,
    Stamp,
    Started,
    Stderr,
    Stdout,
    Usage,
    Verdict,
    Worker,
    WorkerState,
)
from dcodex_proto.v1 import executor_pb2 as pb

#: Trailing metadata of a traced call: a JSON array of [where, seconds].
STAMPS_KEY = "dcodex-stamps"


#: What most of what comes is; by its key, the number and wire type 2 (length-delimited).
_OUTPUT: dict[int, type[Stdout | Stderr | CompilerOutput]] = {
    pb.ExecuteEvent.DESCRIPTOR.fields_by_name[name].number << 3 | 2: kind
    for name, kind in (
        ("stdout", Stdout),
        ("stderr", Stderr),
        ("compiler_output", CompilerOutput),
    )
}
#: A length below 2 GiB, protobuf's own bound, takes no more.
_MOST_LENGTH_BYTES = 5


def parse_event(data: bytes) -> Stdout | Stderr | CompilerOutput | pb.ExecuteEvent:
    """A serialized ExecuteEvent, for read_event().

    Output is taken out by hand: the message object would copy it twice, which for a large piece
    takes ten times as long.
    """
    kind = _OUTPUT.get(data[0]) if data else None
    if kind is not None:
        size = shift = 0
        for start, byte in enumerate(data[1 : 1 + _MOST_LENGTH_BYTES], 2):
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                if start + size == len(data):
                    return kind(data[start:])
                break
    return pb.ExecuteEvent.FromString(data)


def read_event(message: Stdout | Stderr | CompilerOutput | pb.ExecuteEvent) -> Event | None:
    """The event that parse_event() found; None for a kind that this SDK is too old to know."""
    if not isinstance(message, pb.ExecuteEvent):
        return message
    match message.WhichOneof("event"):
        case "stdout":
            return Stdout(message.stdout)
        case "stderr":
            return Stderr(message.stderr)
        case "compiler_output":
            return CompilerOutput(message.compiler_output)
        case "accepted":
            return Accepted(message.accepted.execution_id)
        case "queued":
            return Queued(message.queued.position)
        case "started":
            started = message.started
            return Started(started.worker_id, started.queue_wait_s, started.warm)
        case "finished":
            return read_finished(message.finished)
        case _:
            return None


def read_finished(message: pb.Finished) -> Finished:
    """How an execution ended."""
    usage = message.usage
    return Finished(
        verdict=Verdict(message.verdict),
        exit_code=message.exit_code,
        signal=message.signal,
        message=message.message,
        usage=Usage(
            cpu_user_s=usage.cpu_user_s,
            cpu_system_s=usage.cpu_system_s,
            wall_s=usage.wall_s,
            peak_memory_bytes=usage.peak_memory_bytes,
            queue_wait_s=usage.queue_wait_s,
            compile_s=usage.compile_s,
        ),
        output_truncated=message.output_truncated,
        cache_hit=message.cache_hit,
        compile_cache_hit=message.compile_cache_hit,
        worker_id=message.worker_id,
        warm=message.warm,
    )


def read_run(reply: pb.RunReply) -> Result:
    """A whole run."""
    return complete(
        read_finished(reply.finished),
        reply.execution_id,
        reply.stdout,
        reply.stderr,
        reply.compiler_output,
    )


def collect(events: Iterable[Event], execution_id: str) -> Result | None:
    """The result that these events tell; None where no Finished is among them."""
    pieces: dict[type[Event], bytearray] = {
        Stdout: bytearray(),
        Stderr: bytearray(),
        CompilerOutput: bytearray(),
    }
    for event in events:
        match event:
            case Stdout() | Stderr() | CompilerOutput():
                pieces[type(event)] += event.data
            case Accepted():
                execution_id = event.execution_id
            case Finished():
                return complete(
                    event,
                    execution_id,
                    bytes(pieces[Stdout]),
                    bytes(pieces[Stderr]),
                    bytes(pieces[CompilerOutput]),
                )
    return None


def complete(
    finished: Finished, execution_id: str, stdout: bytes, stderr: bytes, compiler_output: bytes
) -> Result:
    """The result of an execution that ended so and wrote this."""
    ending = {field.name: getattr(finished, field.name) for field in fields(Finished)}
    return Result(
        **ending,
        execution_id=execution_id,
        stdout=stdout,
        stderr=stderr,
        compiler_output=compiler_output,
    )


def read_stamps(metadata: Iterable[tuple[str, str | bytes]] | None) -> list[Stamp]:
    """The stamps in a traced call's trailing metadata; none where there are none."""
    for key, value in metadata or ():
        if key == STAMPS_KEY:
            return [Stamp(str(where), float(at_s)) for where, at_s in json.loads(value)]
    return []


def read_languages(reply: pb.LanguagesReply) -> list[Language]:
    """What the farm runs now."""
    return [
        Language(
            name=language.name,
            aliases=tuple(language.aliases),
            version=language.version,
            compiled=language.compiled,
            extension=language.extension,
            default_limits=_read_limits(language.default_limits),
            ceiling=_read_limits(language.ceiling),
        )
        for language in reply.languages
    ]


def read_farm(message: pb.FarmSnapshot) -> FarmSnapshot:
    """The farm at one moment."""
    return FarmSnapshot(
        workers=tuple(
            Worker(
                worker.id,
                worker.host,
                WorkerState(worker.state),
                worker.language,
                worker.execution_id,
                worker.state_age_s,
                worker.executions,
            )
            for worker in message.workers
        ),
        queues=tuple(
            Queue(queue.language, queue.depth, queue.oldest_wait_s) for queue in message.queues
        ),
        workers_desired=message.workers_desired,
        executions_total=message.executions_total,
        cache_hits_total=message.cache_hits_total,
        cache_misses_total=message.cache_misses_total,
        latency_p50_s=message.latency_p50_s,
        latency_p99_s=message.latency_p99_s,
    )


def _read_limits(message: pb.Limits) -> Limits:
    return Limits(
        cpu_s=message.cpu_s if message.HasField("cpu_s") else None,
        wall_s=message.wall_s if message.HasField("wall_s") else None,
        memory_bytes=message.memory_bytes if message.HasField("memory_bytes") else None,
        processes=message.processes if message.HasField("processes") else None,
        output_bytes=message.output_bytes if message.HasField("output_bytes") else None,
        file_size_bytes=message.file_size_bytes if message.HasField("file_size_bytes") else None,
        open_files=message.open_files if message.HasField("open_files") else None,
    )
