"""The native API, service dcodex.v1.Executor."""

from __future__ import annotations

import asyncio
import json
from time import monotonic
from typing import Any

import grpc

from dcodex_gateway import replies
from dcodex_gateway.calls import StreamCall, UnaryCall
from dcodex_gateway.door import TRACE_REPLY_KEY
from dcodex_gateway.exchange import Chunk
from dcodex_gateway.methods import Context, deadline_s, guarded, parser, well_formed
from dcodex_gateway.streams import Streams
from dcodex_gateway.translate import Order, order_execute, order_run
from dcodex_proto.v1 import executor_pb2 as pb
from dcodex_shared.errors import Reason, Rejected
from dcodex_shared.messages import Finished, Queued, Started

SERVICE = "dcodex.v1.Executor"

#: A caller that opens an Execute and does not say what to run holds a stream for nothing.
FIRST_MESSAGE_S = 30.0


class Native:
    """Serves one gateway's native calls."""

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
                "Execute": grpc.stream_stream_rpc_method_handler(
                    guarded("Execute", figures, self._execute),
                    request_deserializer=parser(pb.ExecuteRequest),
                    response_serializer=replies.serialized,
                ),
                "Run": grpc.unary_unary_rpc_method_handler(
                    guarded("Run", figures, self._run),
                    request_deserializer=parser(pb.Start),
                ),
                "Signal": grpc.unary_unary_rpc_method_handler(
                    guarded("Signal", figures, self._signal),
                    request_deserializer=parser(pb.SignalRequest),
                    response_serializer=pb.SignalReply.SerializeToString,
                ),
                "Languages": grpc.unary_unary_rpc_method_handler(
                    guarded("Languages", figures, self._languages),
                    request_deserializer=parser(pb.LanguagesRequest),
                    response_serializer=pb.LanguagesReply.SerializeToString,
                ),
                "Farm": grpc.unary_stream_rpc_method_handler(
                    guarded("Farm", figures, self._farm),
                    request_deserializer=parser(pb.FarmRequest),
                    response_serializer=pb.FarmSnapshot.SerializeToString,
                ),
            },
        )

    async def _run(self, request: Any, context: Context) -> bytes:
        received = monotonic()
        start: pb.Start = well_formed(request)
        hub = self._hub
        admission = await self._streams.admit(context)
        visitor, execution_id = admission.visitor, admission.execution_id
        order = order_run(
            start, admission.terms, execution_id, deadline_s(context), visitor.stamped
        )
        call = UnaryCall(hub)
        with self._streams.traced("Executor/Run", received, order, visitor) as traced:
            hub.submit(order, call, visitor.account)
            try:
                finished, records = await call.outcome
            except asyncio.CancelledError:
                hub.cancel(execution_id, "the caller gave up")
                raise
            traced.finished = finished
        reply = replies.run_reply(order.public_id, finished, records)
        hub.figures.output_bytes += sum(len(data) for _, data in records)
        if visitor.trace:
            _tell_stamps(context, received, finished)
        return reply

    async def _execute(self, _: Any, context: Context) -> None:
        received = monotonic()
        try:
            async with asyncio.timeout(FIRST_MESSAGE_S):
                first = await context.read()
        except TimeoutError:
            raise _invalid(f"no start message came within {FIRST_MESSAGE_S:.0f} s") from None
        if first is grpc.aio.EOF:
            raise _invalid("no start message came before the end of the stream")
        request: pb.ExecuteRequest = well_formed(first)
        kind = request.WhichOneof("message")
        if kind != "start":
            raise _invalid(f"the first message must be start, got {kind or 'nothing known'}")
        admission = await self._streams.admit(context)
        visitor = admission.visitor
        order = order_execute(
            request.start,
            admission.terms,
            admission.execution_id,
            deadline_s(context),
            visitor.stamped,
        )
        with (
            self._streams.traced("Executor/Execute", received, order, visitor) as traced,
            self._streams.open(order, visitor) as call,
        ):
            reader = asyncio.create_task(_read(call, context))
            try:
                traced.finished = finished = await self._write(order, call, context)
            finally:
                reader.cancel()
        if visitor.trace:
            _tell_stamps(context, received, finished)

    async def _write(self, order: Order, call: StreamCall, context: Context) -> Finished:
        """Tell the caller everything until the end."""
        await context.write(pb.ExecuteEvent(accepted=pb.Accepted(execution_id=order.public_id)))
        while True:
            match await call.next_event():
                case Chunk(stream=stream, size=size) as chunk:
                    # gRPC holds this until the reader takes it: no second copy meanwhile.
                    await context.write(replies.output_event(stream, size, chunk.take()))
                    call.took(size)
                case Queued() as queued:
                    await context.write(replies.queued_event(queued))
                case Started() as started:
                    await context.write(replies.started_event(started))
                case Finished() as finished:
                    await context.write(pb.ExecuteEvent(finished=replies.finished(finished)))
                    return finished
                case Rejected() as why:
                    raise why

    async def _signal(self, request: Any, context: Context) -> pb.SignalReply:
        asked: pb.SignalRequest = well_formed(request)
        visitor = self._door.admit(context)
        self._streams.signal(visitor.tenant, asked.execution_id, asked.signal)
        return pb.SignalReply()

    async def _languages(self, request: Any, context: Context) -> pb.LanguagesReply:
        well_formed(request)
        visitor = self._door.admit(context)
        self._hub.check()
        return replies.languages_reply(self._hub.offered, visitor.default, visitor.ceiling)

    async def _farm(self, request: Any, context: Context) -> None:
        well_formed(request)
        visitor = self._door.admit(context)
        self._hub.check()
        async for view in self._hub.feed.views():
            await context.write(replies.farm_snapshot(view, visitor.tenant))


async def _read(call: StreamCall, context: Context) -> None:
    """Take in what the caller says until it stops saying anything."""
    exchange = call.exchange
    try:
        while not exchange.ended and (request := await context.read()) is not grpc.aio.EOF:
            await _take(well_formed(request), call)
        exchange.close_stdin()
        call.flush()
    except Rejected as why:
        exchange.fail(why)
        call.flush()
    except grpc.aio.UsageError:
        # The call has ended meanwhile: nothing more can be said in it.
        pass


async def _take(request: pb.ExecuteRequest, call: StreamCall) -> None:
    match request.WhichOneof("message"):
        case "stdin":
            await call.push_stdin(request.stdin)
        case "stdin_close":
            call.exchange.close_stdin()
            call.flush()
        case "signal":
            call.exchange.signal(request.signal)
            call.flush()
        case "start":
            raise _invalid("start: only the first message may be a start")
        case _:
            raise _invalid("message: holds nothing known")


def _tell_stamps(context: Context, received: float, finished: Finished) -> None:
    stamps = (
        ("gateway.received", received),
        *finished.stamps,
        ("gateway.answered", monotonic()),
    )
    context.set_trailing_metadata(((TRACE_REPLY_KEY, json.dumps(stamps)),))


def _invalid(message: str) -> Rejected:
    return Rejected(Reason.INVALID_ARGUMENT, message)
