"""Who a caller is, and what applies to it: read from the call's metadata, once a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dcodex_gateway.translate import Terms
from dcodex_shared.config import GatewaySettings
from dcodex_shared.limits import DEFAULT_CEILING, DEFAULT_LIMITS, Limits, resolve

#: The tenant of everyone who shows no token.
ANONYMOUS = "anonymous"
#: Metadata of the caller that asks for stamps, and the trailing metadata that holds them: a
#: JSON array of [where, CLOCK_MONOTONIC seconds], which any caller can read.
TRACE_KEY = "dcodex-trace"
TRACE_REPLY_KEY = "dcodex-stamps"


@dataclass(frozen=True, slots=True)
class Visitor:
    """One call's caller."""

    tenant: str
    default: Limits
    ceiling: Limits
    #: The caller wants to know where the time goes.
    trace: bool

    def terms(self, offered: tuple[tuple[str, str], ...]) -> Terms:
        """What applies to its requests."""
        return Terms(self.tenant, self.default, self.ceiling, offered)


def operator_limits(settings: GatewaySettings) -> tuple[Limits, Limits]:
    """The defaults and the ceiling of everyone."""
    default = Limits(
        cpu_s=settings.sandbox_cpu_limit,
        wall_s=settings.sandbox_wall_limit,
        memory_bytes=settings.sandbox_memory_limit,
        processes=settings.sandbox_process_limit,
        output_bytes=settings.sandbox_output_limit,
        file_size_bytes=DEFAULT_LIMITS.file_size_bytes,
        open_files=DEFAULT_LIMITS.open_files,
    )
    ceiling = Limits(
        cpu_s=settings.max_cpu_limit,
        wall_s=settings.max_wall_limit,
        memory_bytes=settings.max_memory_limit,
        processes=settings.max_process_limit,
        output_bytes=settings.max_output_limit,
        file_size_bytes=DEFAULT_CEILING.file_size_bytes,
        open_files=DEFAULT_CEILING.open_files,
    )
    # An operator who lowers the ceiling alone means the defaults too.
    return resolve({}, default, ceiling), ceiling


class Door:
    """Lets callers in."""

    def __init__(self, settings: GatewaySettings) -> None:
        default, ceiling = operator_limits(settings)
        self._visitor = Visitor(ANONYMOUS, default, ceiling, trace=False)
        self._traced = Visitor(ANONYMOUS, default, ceiling, trace=True)

    def admit(self, context: Any) -> Visitor:
        """The caller of this call; Rejected(UNAUTHENTICATED) where it is nobody."""
        for key, value in context.invocation_metadata() or ():
            if key == TRACE_KEY and value == "1":
                return self._traced
        return self._visitor
