"""The asyncio client: the same calls as client.py, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Self, Unpack

import grpc
from grpc import aio
from grpc._cython import cygrpc  # type: ignore[attr-defined] # compiled, and its stubs lack it

from dcodex.channels import TLS, TRACE_METADATA, execute_method, metadata_for, open_async_channel
from dcodex.errors import (
    SIGNAL_S,
    STREAM_MAY_SIGNAL,
    Cancelled,
    ServiceFailed,
    from_status,
)
from dcodex.replies import collect, read_event, read_farm, read_languages, read_run, read_stamps
from dcodex.requests import Options, build_start, stdin_messages
from dcodex.values import Accepted, Event, FarmSnapshot, Finished, Language, Result, Stamp
from dcodex_proto.v1 import executor_pb2 as pb
from dcodex_proto.v1 import executor_pb2_grpc as rpc


class AsyncExecution:
    """A program that runs: `async for` its events, and talk to it meanwhile.

    As an asynchronous context manager it cancels what has not ended.
    """

    def __init__(
        self, call: Any, start: pb.Start, send_signal: Callable[[str, int], Awaitable[bool]]
    ) -> None:
        """send_signal: delivers past the stream; False where it cannot."""
        # Any: grpc's stubs leave what aio's calls return half typed.
        self._call = call
        self._send_signal = send_signal
        self._start: pb.Start | None = start
        #: Held for one write at a time: gRPC takes no second one meanwhile.
        self._writing = asyncio.Lock()
        #: Known from the first event on.
        self.execution_id = ""
        #: How it ended; None while it has not.
        self.finished: Finished | None = None
        #: The service refuses stdin that comes after its end.
        self._stdin_closed = start.stdin_complete

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        await self._begin()
        while True:
            try:
                message = await self._call.read()
            except aio.AioRpcError as error:
                raise from_status(error) from None
            except asyncio.CancelledError:
                # Ours (cancel() was called), or that of the task which iterates?
                if self._call.cancelled() and not _task_is_cancelled():
                    raise Cancelled("the call was cancelled") from None
                self._call.cancel()
                raise
            if message is aio.EOF:
                await self._check_status()
                raise StopAsyncIteration
            event = read_event(message)
            match event:
                case None:
                    continue
                case Accepted():
                    self.execution_id = event.execution_id
                case Finished():
                    self.finished = event
                case _:
                    pass
            return event

    async def send_stdin(self, data: str | bytes) -> bool:
        """Send more stdin; waits while the program does not read.

        False when the program has ended, or stdin was closed, so that it went nowhere.
        """
        if self._stdin_closed:
            return False
        for message in stdin_messages(data):
            if not await self._write(message):
                return False
        return True

    async def close_stdin(self) -> None:
        """Send EOF. Signals can still be sent."""
        if not self._stdin_closed:
            self._stdin_closed = True
            await self._write(pb.ExecuteRequest(stdin_close=pb.StdinClose()))

    async def signal(self, number: int) -> bool:
        """Deliver a Linux signal (1..31) to the program's first process; False if it ended.

        It overtakes stdin that the program has not read. Before the first event it waits for it.
        """
        if self._call.done():
            return False
        if self.execution_id and await self._send_signal(self.execution_id, number):
            return True
        return await self._write(pb.ExecuteRequest(signal=number))

    def cancel(self) -> None:
        """Kill the program and end the stream; iteration then raises Cancelled."""
        self._call.cancel()

    async def result(self) -> Result:
        """Wait for the end; the output in it is what had not been iterated before."""
        result = collect([event async for event in self], self.execution_id)
        if result is None:
            raise ServiceFailed("the stream ended without saying how the program ended")
        return result

    async def trace(self) -> list[Stamp]:
        """Where a traced request was when, in order; waits for the end of the call."""
        return read_stamps(await self._call.trailing_metadata())

    async def __aenter__(self) -> Self:
        await self._begin()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.finished is None:
            self.cancel()

    async def _begin(self) -> None:
        start, self._start = self._start, None
        if start is not None:
            await self._put(pb.ExecuteRequest(start=start))

    async def _write(self, message: pb.ExecuteRequest) -> bool:
        await self._begin()
        return await self._put(message)

    async def _put(self, message: pb.ExecuteRequest) -> bool:
        async with self._writing:
            if self.finished is not None or self._call.done():
                return False
            return await _send(self._call, message)

    async def _check_status(self) -> None:
        if await self._call.code() is not grpc.StatusCode.OK:
            raise from_status(
                aio.AioRpcError(
                    await self._call.code(),
                    await self._call.initial_metadata(),
                    await self._call.trailing_metadata(),
                    await self._call.details(),
                )
            )


class AsyncClient:
    """Calls to await. Use it as an asynchronous context manager, or await close().

    async with dcodex.AsyncClient("localhost:50051") as client:
        result = await client.run("print('hello')")
    """

    def __init__(self, target: str, token: str | None = None, tls: TLS | bool = False) -> None:
        self._channel = open_async_channel(target, tls)
        self._stub = rpc.ExecutorStub(self._channel)
        self._execute = execute_method(self._channel)
        self._metadata = metadata_for(token)

    async def run(
        self,
        source: str | bytes = "",
        *,
        timeout_s: float | None = None,
        **options: Unpack[Options],
    ) -> Result:
        """Run a program and wait for its result: the fast path.

        timeout_s: seconds to wait for the answer, queueing included. See Options for the rest.

            results = await asyncio.gather(*(client.run(program) for program in programs))
        """
        start = build_start(source, options, stdin_complete=True)
        try:
            return read_run(await self._stub.Run(start, timeout=timeout_s, metadata=self._metadata))
        except aio.AioRpcError as error:
            raise from_status(error) from None

    def execute(
        self,
        source: str | bytes = "",
        *,
        timeout_s: float | None = None,
        stdin_complete: bool = False,
        trace: bool = False,
        **options: Unpack[Options],
    ) -> AsyncExecution:
        """Start a program; `async for` what comes back for its events while it runs.

        stdin_complete: EOF follows the `stdin` option, so a cached result may answer.
        trace: have its way through the service stamped: see trace().

            async with client.execute(source) as execution:
                await execution.send_stdin("2 + 2\\n")
                async for event in execution:
                    print(event)
        """
        start = build_start(source, options, stdin_complete=stdin_complete)
        metadata = (*self._metadata, *TRACE_METADATA) if trace else self._metadata
        call = self._execute(timeout=timeout_s, metadata=metadata)
        return AsyncExecution(call, start, self._signal)

    async def _signal(self, execution_id: str, number: int) -> bool:
        request = pb.SignalRequest(execution_id=execution_id, signal=number)
        try:
            await self._stub.Signal(request, timeout=SIGNAL_S, metadata=self._metadata)
        except aio.AioRpcError as error:
            if error.code() in STREAM_MAY_SIGNAL:
                return False
            raise from_status(error) from None
        return True

    async def languages(self, *, timeout_s: float | None = None) -> list[Language]:
        """What the farm runs now."""
        try:
            reply = await self._stub.Languages(
                pb.LanguagesRequest(), timeout=timeout_s, metadata=self._metadata
            )
        except aio.AioRpcError as error:
            raise from_status(error) from None
        return read_languages(reply)

    async def farm(self, *, timeout_s: float | None = None) -> AsyncGenerator[FarmSnapshot, None]:
        """A snapshot of workers and queues, then one after every change, without end."""
        call = self._stub.Farm(pb.FarmRequest(), timeout=timeout_s, metadata=self._metadata)
        try:
            async for message in call:
                yield read_farm(message)
        except aio.AioRpcError as error:
            raise from_status(error) from None
        finally:
            call.cancel()

    async def close(self) -> None:
        """Give the connection up; what runs is cancelled."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


async def _send(call: Any, message: pb.ExecuteRequest) -> bool:
    """Write to a call; False where it has ended, and reading tells how.

    call.write() is not it: a write that comes when the service has just ended the call gives the
    call a status of its own, INTERNAL, in place of the one that is on its way (grpcio 1.85).
    """
    await call._metadata_sent.wait()
    if call.done():
        return False
    try:
        await call._cython_call.send_serialized_message(message.SerializeToString())
    except cygrpc.InternalError:
        return False
    except asyncio.CancelledError:
        call.cancel()
        raise
    return True


def _task_is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
