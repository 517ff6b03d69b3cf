"""A caller's arguments to the first message of a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypedDict

from dcodex.values import File, Limits
from dcodex_proto.v1 import executor_pb2 as pb

#: The largest piece of stdin in one message; the service refuses larger ones.
CHUNK_BYTES = 64 * 1024


class Options(TypedDict, total=False):
    """Everything about a program but its source; all of it optional."""

    #: A name or alias ("python", "py", "c", "cpp", "c++"); "python" if left out.
    language: str
    #: A prefix of the wanted version ("3.11"); empty takes what the farm has.
    version: str
    #: Path to content, instead of a source: {"main.py": "import util", "util.py": "..."}.
    files: Mapping[str, str | bytes | File]
    #: Which of the files starts; empty means the language's default name, or the only file.
    entry_point: str
    #: argv[1:].
    args: Sequence[str]
    #: For the compiler, before the source files: ["-O2", "-std=c++20"].
    compile_args: Sequence[str]
    #: Added to the sandbox's own small environment.
    env: Mapping[str, str]
    #: Written to stdin first.
    stdin: str | bytes
    limits: Limits
    #: False: neither read nor write the result cache.
    cache: bool
    priority: Literal["interactive", "batch"]
    #: For the caller's own logs and traces.
    labels: Mapping[str, str]
    #: A name of your own for this run: the same name again attaches instead of running twice.
    execution_id: str


def build_start(source: str | bytes, options: Options, *, stdin_complete: bool = False) -> pb.Start:
    """The first message for these arguments; ValueError where they contradict each other."""
    files = options.get("files") or {}
    if bool(source) == bool(files):
        raise ValueError("give the program as a source or as files: one of them, and not both")
    start = pb.Start(
        language=options.get("language", "python"),
        version=options.get("version", ""),
        source=_bytes(source),
        files=[_file(path, content) for path, content in files.items()],
        entry_point=options.get("entry_point", ""),
        args=options.get("args", ()),
        compile_args=options.get("compile_args", ()),
        environment=options.get("env") or {},
        stdin=_bytes(options.get("stdin", b"")),
        cache=pb.CACHE_POLICY_USE if options.get("cache", True) else pb.CACHE_POLICY_BYPASS,
        priority=(
            pb.PRIORITY_BATCH if options.get("priority") == "batch" else pb.PRIORITY_INTERACTIVE
        ),
        labels=options.get("labels") or {},
        execution_id=options.get("execution_id", ""),
        stdin_complete=stdin_complete,
    )
    limits = options.get("limits")
    if limits is not None:
        start.limits.CopyFrom(_limits(limits))
    return start


def stdin_messages(data: str | bytes) -> Iterator[pb.ExecuteRequest]:
    """The data in messages that the service takes."""
    whole = memoryview(_bytes(data))
    for at in range(0, len(whole), CHUNK_BYTES):
        yield pb.ExecuteRequest(stdin=bytes(whole[at : at + CHUNK_BYTES]))


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else bytes(text)


def _file(path: str, content: str | bytes | File) -> pb.File:
    if isinstance(content, File):
        return pb.File(path=path, content=_bytes(content.content), mode=content.mode)
    return pb.File(path=path, content=_bytes(content))


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
