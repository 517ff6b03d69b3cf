"""The blocking client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self, Unpack

import grpc

from dcodex.channels import TLS, TRACE_METADATA, execute_method, metadata_for, open_channel
from dcodex.errors import SIGNAL_S, STREAM_MAY_SIGNAL, ServiceFailed, from_status
from dcodex.outbox import Outbox
from dcodex.replies import collect, read_event, read_farm, read_languages, read_run, read_stamps
from dcodex.requests import Options, build_start, stdin_messages
from dcodex.values import Accepted, Event, FarmSnapshot, Finished, Language, Result, Stamp
from dcodex_proto.v1 import executor_pb2 as pb
from dcodex_proto.v1 import executor_pb2_grpc as rpc


class Execution:
    """A program that runs: iterate it for its events, and talk to it meanwhile.

    Events come while the program runs. As a context manager it cancels what has not ended.
    Any thread may call the methods; one at a time may iterate.
    """

    def __init__(
        self,
        call: Any,
        outbox: Outbox,
        stdin_complete: bool,
        send_signal: Callable[[str, int], bool],
    ) -> None:
        """send_signal: delivers past the stream; False where it cannot."""
        # Any: grpc's stubs have no type for a call that is iterator, future and context in one.
        self._call = call
        self._outbox = outbox
        self._send_signal = send_signal
        #: Known from the first event on.
        self.execution_id = ""
        #: How it ended; None while it has not.
        self.finished: Finished | None = None
        #: The service refuses stdin that comes after its end.
        self._stdin_closed = stdin_complete
        if not call.add_callback(outbox.end):
            outbox.end()

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        while True:
            try:
                event = read_event(next(self._call))
            except grpc.RpcError as error:
                raise from_status(error) from None  # type: ignore[arg-type] # stubs lack code()
            match event:
                case None:
                    continue
                case Accepted():
                    self.execution_id = event.execution_id
                case Finished():
                    self.finished = event
                    self._outbox.end()
                case _:
                    pass
            return event

    def send_stdin(self, data: str | bytes) -> bool:
        """Send more stdin; waits while the program does not read.

        False when the program has ended, or stdin was closed, so that it went nowhere.
        """
        if self._stdin_closed:
            return False
        return all(self._outbox.put(message) for message in stdin_messages(data))

    def close_stdin(self) -> None:
        """Send EOF. Signals can still be sent."""
        if not self._stdin_closed:
            self._stdin_closed = True
            self._outbox.put(pb.ExecuteRequest(stdin_close=pb.StdinClose()))

    def signal(self, number: int) -> bool:
        """Deliver a Linux signal (1..31) to the program's first process; False if it ended.

        It overtakes stdin that the program has not read. Before the first event it waits for it.
        """
        if self._outbox.is_over():
            return False
        if self.execution_id and self._send_signal(self.execution_id, number):
            return True
        return self._outbox.put(pb.ExecuteRequest(signal=number))

    def cancel(self) -> None:
        """Kill the program and end the stream; iteration then raises Cancelled."""
        self._call.cancel()
        self._outbox.end()

    def result(self) -> Result:
        """Wait for the end; the output in it is what had not been iterated before."""
        result = collect(self, self.execution_id)
        if result is None:
            raise ServiceFailed("the stream ended without saying how the program ended")
        return result

    def trace(self) -> list[Stamp]:
        """Where a traced request was when, in order; waits for the end of the call."""
        return read_stamps(self._call.trailing_metadata())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.finished is None:
            self.cancel()


class Client:
    """Calls that wait for their answers. Threads may share one client.

    Use it as a context manager, or call close().
    """

    def __init__(self, target: str, token: str | None = None, tls: TLS | bool = False) -> None:
        self._channel = open_channel(target, tls)
        self._stub = rpc.ExecutorStub(self._channel)
        self._execute = execute_method(self._channel)
        self._metadata = metadata_for(token)

    def run(
        self,
        source: str | bytes = "",
        *,
        timeout_s: float | None = None,
        **options: Unpack[Options],
    ) -> Result:
        """Run a program and wait for its result: the fast path.

        timeout_s: seconds to wait for the answer, queueing included. See Options for the rest.

            client.run("print(input())", stdin="hello").text
            client.run(files={"main.c": source}, language="c", args=["-v"]).check()
        """
        start = build_start(source, options, stdin_complete=True)
        try:
            return read_run(self._stub.Run(start, timeout=timeout_s, metadata=self._metadata))
        except grpc.RpcError as error:
            raise from_status(error) from None  # type: ignore[arg-type] # stubs lack code()

    def execute(
        self,
        source: str | bytes = "",
        *,
        timeout_s: float | None = None,
        stdin_complete: bool = False,
        trace: bool = False,
        **options: Unpack[Options],
    ) -> Execution:
        """Start a program; iterate what comes back for its events while it runs.

        stdin_complete: EOF follows the `stdin` option, so a cached result may answer.
        trace: have its way through the service stamped: see trace().

            with client.execute(source) as execution:
                execution.send_stdin("2 + 2\\n")
                for event in execution:
                    match event:
                        case dcodex.Stdout(data):
                            print(data.decode(), end="")
                        case dcodex.Finished():
                            print(event.verdict, event.exit_code)
        """
        start = build_start(source, options, stdin_complete=stdin_complete)
        outbox = Outbox(pb.ExecuteRequest(start=start))
        metadata = (*self._metadata, *TRACE_METADATA) if trace else self._metadata
        call = self._execute(iter(outbox), timeout=timeout_s, metadata=metadata)
        return Execution(call, outbox, stdin_complete, self._signal)

    def _signal(self, execution_id: str, number: int) -> bool:
        request = pb.SignalRequest(execution_id=execution_id, signal=number)
        try:
            self._stub.Signal(request, timeout=SIGNAL_S, metadata=self._metadata)
        except grpc.RpcError as error:
            if error.code() in STREAM_MAY_SIGNAL:
                return False
            raise from_status(error) from None  # type: ignore[arg-type] # stubs lack code()
        return True

    def languages(self, *, timeout_s: float | None = None) -> list[Language]:
        """What the farm runs now.

        [language.name for language in client.languages()]
        """
        try:
            reply = self._stub.Languages(
                pb.LanguagesRequest(), timeout=timeout_s, metadata=self._metadata
            )
        except grpc.RpcError as error:
            raise from_status(error) from None  # type: ignore[arg-type] # stubs lack code()
        return read_languages(reply)

    def farm(self, *, timeout_s: float | None = None) -> Iterator[FarmSnapshot]:
        """A snapshot of workers and queues, then one after every change, without end.

        snapshot = next(client.farm())
        """
        call = self._stub.Farm(pb.FarmRequest(), timeout=timeout_s, metadata=self._metadata)
        try:
            for message in call:
                yield read_farm(message)
        except grpc.RpcError as error:
            raise from_status(error) from None  # type: ignore[arg-type] # stubs lack code()
        finally:
            call.cancel()

    def close(self) -> None:
        """Give the connection up; what runs is cancelled."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
