"""A service for the SDK to talk to: real gRPC on loopback, with programs made of a few words."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from dcodex_proto.v1 import executor_pb2 as pb
from dcodex_proto.v1 import executor_pb2_grpc as rpc

#: Every wait in these tests ends by then.
PATIENCE_S = 20.0


class WordFarm(rpc.ExecutorServicer):
    """Runs programs of lines: out TEXT, err TEXT, compiler TEXT, env NAME, args, files, read,

    signal (waits for one), hang, reject CODE, exit N, end VERDICT.
    """

    def __init__(self) -> None:
        #: What each call asked for, in order.
        self.starts: list[pb.Start] = []
        self.metadata: list[dict[str, str]] = []
        #: Set when a call was cancelled by its caller.
        self.cancelled = threading.Event()

    def Execute(self, request_iterator: Any, context: Any) -> Iterator[pb.ExecuteEvent]:
        requests = iter(request_iterator)
        start = next(requests).start
        self._note(start, context)
        over, ended = threading.Event(), threading.Event()

        def end() -> None:
            over.set()
            if not ended.is_set():
                self.cancelled.set()

        context.add_callback(end)
        if "dcodex-trace" in self.metadata[-1]:
            stamps = json.dumps([["gateway.received", 1.5], ["gateway.answered", 1.75]])
            context.set_trailing_metadata((("dcodex-stamps", stamps),))
        yield pb.ExecuteEvent(accepted=pb.Accepted(execution_id="e1"))
        yield pb.ExecuteEvent(queued=pb.Queued(position=3))
        yield pb.ExecuteEvent(started=pb.Started(worker_id="w1", queue_wait_s=0.25, warm=True))
        stdin = start.stdin
        verdict, exit_code = pb.VERDICT_OK, 0
        for line in _source(start).decode().splitlines():
            word, _, text = line.partition(" ")
            match word:
                case "out":
                    yield pb.ExecuteEvent(stdout=text.encode())
                case "err":
                    yield pb.ExecuteEvent(stderr=text.encode())
                case "compiler":
                    yield pb.ExecuteEvent(compiler_output=text.encode())
                case "env":
                    yield pb.ExecuteEvent(stdout=start.environment[text].encode())
                case "args":
                    yield pb.ExecuteEvent(stdout=" ".join(start.args).encode())
                case "files":
                    names = " ".join(f"{file.path}:{file.mode:o}" for file in start.files)
                    yield pb.ExecuteEvent(stdout=names.encode())
                case "read":
                    for request in requests if not start.stdin_complete else ():
                        if request.WhichOneof("message") == "stdin_close":
                            break
                        stdin += request.stdin
                    yield pb.ExecuteEvent(stdout=b"<" + stdin + b">")
                case "signal":
                    yield pb.ExecuteEvent(stdout=str(next(requests).signal).encode())
                case "hang":
                    over.wait(PATIENCE_S)
                    return
                case "reject":
                    ended.set()
                    _reject(text, context)
                case "exit":
                    verdict, exit_code = pb.VERDICT_NONZERO_EXIT, int(text)
                case "end":
                    verdict, exit_code = pb.Verdict.Value(f"VERDICT_{text}"), 137
        ended.set()
        yield pb.ExecuteEvent(finished=_finished(verdict, exit_code))

    def Run(self, request: pb.Start, context: Any) -> pb.RunReply:
        reply = pb.RunReply(execution_id="e1")
        request.stdin_complete = True
        for event in self.Execute(iter([pb.ExecuteRequest(start=request)]), context):
            reply.stdout += event.stdout
            reply.stderr += event.stderr
            reply.compiler_output += event.compiler_output
            reply.finished.MergeFrom(event.finished)
        return reply

    def Signal(self, request: pb.SignalRequest, context: Any) -> pb.SignalReply:
        """As a service that is too old to know the call."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "no such call")
        raise AssertionError

    def Languages(self, request: pb.LanguagesRequest, context: Any) -> pb.LanguagesReply:
        return pb.LanguagesReply(
            languages=[
                pb.Language(
                    name="python",
                    aliases=["py"],
                    version="3.11.2",
                    extension=".py",
                    default_limits=pb.Limits(cpu_s=1, wall_s=10, memory_bytes=4 << 30),
                    ceiling=pb.Limits(cpu_s=60),
                )
            ]
        )

    def Farm(self, request: pb.FarmRequest, context: Any) -> Iterator[pb.FarmSnapshot]:
        for total in range(3):
            yield pb.FarmSnapshot(
                workers=[
                    pb.Worker(id="w1", host="h", state=pb.WORKER_STATE_BUSY, language="python")
                ],
                queues=[pb.Queue(language="python", depth=2, oldest_wait_s=0.5)],
                workers_desired=4,
                executions_total=total,
            )

    def _note(self, start: pb.Start, context: Any) -> None:
        self.starts.append(start)
        self.metadata.append(dict(context.invocation_metadata()))


def _source(start: pb.Start) -> bytes:
    for file in start.files:
        if file.path == start.entry_point:
            return file.content
    return start.source


def _reject(code: str, context: Any) -> None:
    if code == "RESOURCE_EXHAUSTED":
        context.set_trailing_metadata((("retry-after-ms", "1500"),))
    context.abort(grpc.StatusCode[code], "limits.cpu_s must be a positive number")


def _finished(verdict: Any, exit_code: int) -> pb.Finished:
    return pb.Finished(
        verdict=verdict,
        exit_code=exit_code,
        signal=9 if exit_code == 137 else 0,
        message="used 1.01 s of 1 s" if exit_code == 137 else "",
        usage=pb.Usage(cpu_user_s=0.5, cpu_system_s=0.25, wall_s=1.0, peak_memory_bytes=1 << 20),
        worker_id="w1",
        warm=True,
    )


@pytest.fixture
def farm() -> WordFarm:
    """The service behind `target`."""
    return WordFarm()


@pytest.fixture
def target(farm: WordFarm) -> Iterator[str]:
    """Where it listens."""
    with ThreadPoolExecutor(8) as threads:
        server = grpc.server(threads)
        rpc.add_ExecutorServicer_to_server(farm, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(grace=None).wait(PATIENCE_S)
