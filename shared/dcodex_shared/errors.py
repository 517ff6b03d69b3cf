"""The error types that cross module boundaries; each says whose fault it is."""

from __future__ import annotations

from enum import IntEnum


class LocalProtocolError(Exception):
    """We broke our own protocol: a bug."""


class RemoteProtocolError(Exception):
    """A peer broke the protocol: drop the message, count it, log it, go on."""


class Reason(IntEnum):
    """Why a request was turned away. The values are gRPC's status codes (grpc.StatusCode)."""

    CANCELLED = 1
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


class Rejected(Exception):
    """The caller's request cannot be served; the message is shown to the caller.

    retry_after_s: how long to wait before it may be tried again; 0 when waiting does not help.
    """

    def __init__(self, reason: Reason, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_after_s = retry_after_s
