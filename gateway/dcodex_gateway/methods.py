"""How a method of a service becomes a gRPC handler: parsing, counting, errors.

The generated `add_…_to_server` would answer a message that does not parse with UNKNOWN and a
traceback in the log; here it is the caller's INVALID_ARGUMENT.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from dcodex_gateway.figures import Figures
from dcodex_shared.errors import Reason, Rejected

log = logging.getLogger(__name__)

_STATUS = {code.value[0]: code for code in grpc.StatusCode}

M = TypeVar("M", bound=Message)
#: grpc.aio.ServicerContext, which is generic in ways that no handler here profits from.
Context = Any
Serve = Callable[[Any, Context], Awaitable[Any]]


class Malformed:
    """Stands for a message that did not parse."""


def parser(message: type[M]) -> Callable[[bytes], M | Malformed]:
    """A deserializer that never raises."""
    parse = message.FromString

    def lenient(data: bytes) -> M | Malformed:
        try:
            return parse(data)
        except DecodeError:
            return Malformed()

    return lenient


def well_formed(request: M | Malformed) -> M:
    """The message, or Rejected where it did not parse."""
    if isinstance(request, Malformed):
        raise Rejected(Reason.INVALID_ARGUMENT, "the message does not parse")
    return request


async def abort(context: Context, why: Rejected) -> NoReturn:
    """End the call with the status of a Rejected."""
    metadata: tuple[tuple[str, str], ...] = ()
    if why.retry_after_s > 0:
        metadata = (("retry-after-ms", str(max(1, round(why.retry_after_s * 1000)))),)
    try:
        await context.abort(_STATUS[int(why.reason)], why.message, metadata)
    except grpc.aio.InternalError:
        raise _gone() from None
    raise AssertionError("abort() returned")


def _gone() -> asyncio.CancelledError:
    """For a call that nothing can be sent in any more: its caller left at this moment."""
    return asyncio.CancelledError("the caller is gone")


def guarded(method: str, figures: Figures, serve: Serve) -> Serve:
    """A handler around `serve` that counts the call and gives every error its status."""

    async def handle(request: Any, context: Context) -> Any:
        began = monotonic()
        figures.begin(method)
        status = "OK"
        try:
            return await serve(request, context)
        except Rejected as why:
            status = why.reason.name
            await abort(context, why)
        except asyncio.CancelledError:
            status = "DEADLINE_EXCEEDED" if context.time_remaining() == 0 else "CANCELLED"
            raise
        except grpc.aio.InternalError:
            status = "CANCELLED"
            raise _gone() from None
        except Exception:
            # The outermost frame of ours in this call.
            log.exception("a call failed method=%s", method)
            status = "INTERNAL"
            await abort(context, Rejected(Reason.INTERNAL, "internal error of the gateway"))
        finally:
            figures.end(method, status, monotonic() - began)

    return handle


def deadline_s(context: Context) -> float:
    """Seconds until the caller gives up, as Submit has it: 0 means never."""
    remaining: float | None = context.time_remaining()
    return 0.0 if remaining is None else max(remaining, 0.001)
