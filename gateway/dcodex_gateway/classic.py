"""The classic API, service dcodex.CodeExecutor: what clients of the original DCodeX speak."""

from __future__ import annotations

import codecs
from time import monotonic
from typing import Any

import grpc

from dcodex_gateway import replies, wording
from dcodex_gateway.calls import StreamCall
from dcodex_gateway.exchange import Chunk
from dcodex_gateway.methods import Context, deadline_s, guarded, parser, well_formed
from dcodex_gateway.streams import Streams
from dcodex_gateway.translate import order_classic
from dcodex_proto.classic import code_executor_pb2 as pb
from dcodex_shared.errors import Rejected
from dcodex_shared.messages import Finished, Queued, Started, Stream, Verdict

SERVICE = "dcodex.CodeExecutor"

_new_decoder = codecs.getincrementaldecoder("utf-8")


class Classic:
    """Serves one gateway's classic calls."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._hub = streams.hub
        self._door = streams.door

    def handlers(self) -> grpc.GenericRpcHandler:
        """What to add to a server."""
        figures = self._hub.figures
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Execute": grpc.unary_stream_rpc_method_handler(
                    guarded("CodeExecutor/Execute", figures, self._execute),
                    request_deserializer=parser(pb.CodeRequest),
                    response_serializer=pb.ExecutionLog.SerializeToString,
                ),
                "GetSystemMetrics": grpc.unary_unary_rpc_method_handler(
                    guarded("CodeExecutor/GetSystemMetrics", figures, self._metrics),
                    request_deserializer=parser(pb.EmptyRequest),
                    response_serializer=pb.SystemMetrics.SerializeToString,
                ),
            },
        )

    async def _execute(self, request: Any, context: Context) -> None:
        received = monotonic()
        asked: pb.CodeRequest = well_formed(request)
        admission = await self._streams.admit(context)
        visitor, execution_id = admission.visitor, admission.execution_id
        order = order_classic(
            asked, admission.terms, execution_id, deadline_s(context), visitor.stamped
        )
        with (
            self._streams.traced("CodeExecutor/Execute", received, order, visitor) as traced,
            self._streams.open(order, visitor) as call,
        ):
            traced.finished = await self._write(call, context)

    async def _write(self, call: StreamCall, context: Context) -> Finished:
        """Output as it comes, then what went wrong, then the figures."""
        texts = Texts()
        while True:
            match await call.next_event():
                case Chunk(stream=stream, size=size) as chunk:
                    if log := texts.log(stream, b"".join(chunk.take())):
                        await context.write(log)
                    call.took(size)
                case Queued() | Started():
                    # The classic API has no words for these.
                    pass
                case Finished() as finished:
                    for log in texts.rest():
                        await context.write(log)
                    if said := wording.failure(finished):
                        await context.write(pb.ExecutionLog(stderr_chunk=said))
                    await context.write(figures_log(finished))
                    return finished
                case Rejected() as why:
                    raise why

    async def _metrics(self, request: Any, context: Context) -> pb.SystemMetrics:
        well_formed(request)
        self._door.admit(context)
        self._hub.check()
        return replies.system_metrics(await self._hub.feed.newest())


class Texts:
    """Bytes of the three streams as text; a character split over two chunks arrives whole."""

    def __init__(self) -> None:
        self._decoders = {stream: _new_decoder("replace") for stream in Stream}

    def log(self, stream: Stream, data: bytes) -> pb.ExecutionLog | None:
        """One chunk; None where it ends before its first character does."""
        return _log(stream, self._decoders[stream].decode(data))

    def rest(self) -> list[pb.ExecutionLog]:
        """What a character that was never finished is shown as."""
        logs = (
            _log(stream, decoder.decode(b"", final=True))
            for stream, decoder in self._decoders.items()
        )
        return [log for log in logs if log is not None]


def _log(stream: Stream, text: str) -> pb.ExecutionLog | None:
    if not text:
        return None
    # The compiler speaks on stderr, as it does by hand.
    if stream is Stream.STDOUT:
        return pb.ExecutionLog(stdout_chunk=text)
    return pb.ExecutionLog(stderr_chunk=text)


def figures_log(finished: Finished) -> pb.ExecutionLog:
    """The last message. The time is the program's own, without compile and queue."""
    return pb.ExecutionLog(
        peak_memory_bytes=finished.peak_memory_bytes,
        execution_time_ms=finished.wall_s * 1000.0,
        cache_hit=finished.cache_hit,
        wall_clock_timeout=finished.verdict == Verdict.WALL_LIMIT,
        output_truncated=finished.output_truncated or finished.verdict == Verdict.OUTPUT_LIMIT,
    )
