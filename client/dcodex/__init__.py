"""The Python SDK of DCodeX: run untrusted programs in sandboxes, with live output.

    import dcodex

    with dcodex.connect("localhost:50051") as client:
        result = client.run("print(sum(range(10)))")
        print(result.verdict, result.text)

        with client.execute("name = input(); print('hello', name)") as execution:
            execution.send_stdin("world\\n")
            for event in execution:
                print(event)

`AsyncClient` has the same calls for asyncio. A program's own failure is a Verdict in its
Result; an exception (DCodeXError) means that the service refused or failed the request.
"""

from __future__ import annotations

from dcodex.aio import AsyncClient, AsyncExecution
from dcodex.channels import DEFAULT_TARGET, TLS
from dcodex.client import Client, Execution
from dcodex.errors import (
    Cancelled,
    DCodeXError,
    DeadlineExceeded,
    Exhausted,
    InvalidRequest,
    ProgramFailed,
    Refused,
    ServiceFailed,
    Unauthenticated,
    Unavailable,
)
from dcodex.values import (
    Accepted,
    CompilerOutput,
    Event,
    FarmSnapshot,
    File,
    Finished,
    Language,
    Limits,
    Queue,
    Queued,
    Result,
    Stamp,
    Started,
    Stderr,
    Stdout,
    Usage,
    Verdict,
    Worker,
    WorkerState,
)

__all__ = [
    "TLS",
    "Accepted",
    "AsyncClient",
    "AsyncExecution",
    "Cancelled",
    "Client",
    "CompilerOutput",
    "DCodeXError",
    "DeadlineExceeded",
    "Event",
    "Execution",
    "Exhausted",
    "FarmSnapshot",
    "File",
    "Finished",
    "InvalidRequest",
    "Language",
    "Limits",
    "ProgramFailed",
    "Queue",
    "Queued",
    "Refused",
    "Result",
    "ServiceFailed",
    "Stamp",
    "Started",
    "Stderr",
    "Stdout",
    "Unauthenticated",
    "Unavailable",
    "Usage",
    "Verdict",
    "Worker",
    "WorkerState",
    "connect",
]


def connect(
    target: str = DEFAULT_TARGET, token: str | None = None, tls: TLS | bool = False
) -> Client:
    """A client for the service at `target`; it connects when first used.

    token: sent as a bearer token with every call.
    tls: True for the system's certificate authorities, TLS(...) for files of your own.

        with dcodex.connect("farm.example:50051", token="...", tls=True) as client:
            client.run("print('hello')").check()
    """
    return Client(target, token, tls)
