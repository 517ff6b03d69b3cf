"""Server reflection: which services and messages there are, for tools that ask (a switch).

The library answers; its own handlers would meet a message that does not parse with a traceback
in the log for each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2
from grpc_reflection.v1alpha.reflection import aio

from dcodex_gateway.figures import Figures
from dcodex_gateway.methods import Context, guarded, parser, well_formed


class Reflection:
    """Serves one gateway's reflection."""

    def __init__(self, services: tuple[str, ...], figures: Figures) -> None:
        self._servicer: Any = aio.ReflectionServicer((*services, reflection.SERVICE_NAME))
        self._figures = figures

    def handlers(self) -> grpc.GenericRpcHandler:
        """What to add to a server."""
        return grpc.method_handlers_generic_handler(
            reflection.SERVICE_NAME,
            {
                "ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(
                    guarded("Reflection", self._figures, self._info),
                    request_deserializer=parser(reflection_pb2.ServerReflectionRequest),
                    response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
                )
            },
        )

    async def _info(self, _: Any, context: Context) -> None:
        while (request := await context.read()) is not grpc.aio.EOF:
            asked = well_formed(request)
            async for reply in self._servicer.ServerReflectionInfo(_one(asked), context):
                await context.write(reply)


async def _one(asked: Any) -> AsyncIterator[Any]:
    yield asked
