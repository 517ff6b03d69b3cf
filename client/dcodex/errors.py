"""What can go wrong between a caller and the service; a program's own failure is no error here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

import grpc

if TYPE_CHECKING:
    from dcodex.values import Result


class DCodeXError(Exception):
    """The service refused or failed the request; the message says why."""


class InvalidRequest(DCodeXError):
    """The request is malformed; the message names the field."""


class Unauthenticated(DCodeXError):
    """The service wants a token, or does not know the one it was given."""


class Refused(DCodeXError):
    """The token does not allow this."""


class Exhausted(DCodeXError):
    """A size limit, a rate limit or a full queue.

    retry_after_s: how long to wait before trying again; 0 when waiting does not help.
    """

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DeadlineExceeded(DCodeXError):
    """The timeout passed, or the queue is too long to meet it."""


class Unavailable(DCodeXError):
    """No service at the target, no worker, or the worker was lost while it ran."""


class Cancelled(DCodeXError):
    """The call was cancelled."""


class ServiceFailed(DCodeXError):
    """The service broke; its operator's log says more."""


class ProgramFailed(Exception):
    """Raised by Result.check() alone: the program did not end with exit code 0."""

    def __init__(self, result: Result) -> None:
        detail = result.error_text.strip() or result.compiler_text.strip()
        last_line = detail.rpartition("\n")[2]
        parts = (result.verdict.name, result.message, last_line)
        super().__init__(": ".join(part for part in parts if part))
        #: Everything about the run.
        self.result = result


_BY_CODE: dict[grpc.StatusCode, type[DCodeXError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: Refused,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Exhausted,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.ABORTED: Unavailable,
    grpc.StatusCode.CANCELLED: Cancelled,
}


#: How long a signal may take to be passed on, in seconds.
SIGNAL_S = 10.0
#: A signal that cannot overtake is said in the stream: another gateway has that, or one of a
#: version that does not know the call.
STREAM_MAY_SIGNAL = frozenset((grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED))


class Status(Protocol):
    """The part of grpc.RpcError that tells what happened (its stubs leave it out)."""

    def code(self) -> grpc.StatusCode:
        """The status code."""

    def details(self) -> str | None:
        """Words for a person."""

    def trailing_metadata(self) -> Iterable[tuple[str, str | bytes]] | None:
        """What the service sent with the status."""


def from_status(status: Status) -> DCodeXError:
    """The exception that a caller of this SDK sees for a gRPC status."""
    code = status.code()
    message = status.details() or code.name.lower().replace("_", " ")
    cls = _BY_CODE.get(code, ServiceFailed)
    if cls is Exhausted:
        return Exhausted(message, _retry_after_s(status.trailing_metadata()))
    return cls(message)


def _retry_after_s(metadata: Iterable[tuple[str, str | bytes]] | None) -> float:
    for key, value in metadata or ():
        if key == "retry-after-ms":
            try:
                return max(0.0, float(value) / 1000)
            except ValueError:
                return 0.0
    return 0.0
