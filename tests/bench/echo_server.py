"""A bare grpc.aio server of the same API, which runs nothing: what streams are compared with.

The program in a Start says what to do: `echo` sends every stdin message back as stdout; a
number sends that many bytes as stdout, in chunks as large as the service's own. On uvloop, as
the gateway is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import uvloop
from grpc import aio

from dcodex_gateway.exchange import CALLERS_PIECE_BYTES
from dcodex_proto.v1 import executor_pb2 as pb

ECHO = b"echo"


async def execute(
    requests: AsyncIterator[pb.ExecuteRequest], context: Any
) -> AsyncIterator[pb.ExecuteEvent]:
    """Answer as the first message says, with nothing behind it."""
    first = await anext(aiter(requests))
    if first.start.source == ECHO:
        async for request in requests:
            if request.WhichOneof("message") != "stdin":
                break
            yield pb.ExecuteEvent(stdout=request.stdin)
    else:
        left = int(first.start.source)
        while left > 0:
            size = min(left, CALLERS_PIECE_BYTES)
            left -= size
            yield pb.ExecuteEvent(stdout=b"x" * size)
    yield pb.ExecuteEvent(finished=pb.Finished(verdict=pb.VERDICT_OK))


async def serve() -> None:
    """Say the port, then serve until stdin ends."""
    server = aio.server()
    handler = grpc.stream_stream_rpc_method_handler(
        execute,
        request_deserializer=pb.ExecuteRequest.FromString,
        response_serializer=pb.ExecuteEvent.SerializeToString,
    )
    service = grpc.method_handlers_generic_handler("dcodex.v1.Executor", {"Execute": handler})
    server.add_generic_rpc_handlers((service,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, input_ends)
    await server.stop(None)


def input_ends() -> None:
    """Wait until whoever started this closes its end of the pipe."""
    try:
        while True:
            input()
    except EOFError:
        return


if __name__ == "__main__":
    uvloop.run(serve())
