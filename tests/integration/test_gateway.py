"""The gateway over real sockets: a real process, gRPC callers, and a coordinator by hand."""

from __future__ import annotations

import json
import queue
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol, cast

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tests.integration.gateway_peer import (
    PATIENCE_S,
    Background,
    GatewayProcess,
    Peer,
    finished,
)

from dcodex_proto.classic import code_executor_pb2 as classic_pb
from dcodex_proto.classic.code_executor_pb2_grpc import CodeExecutorStub
from dcodex_proto.v1 import executor_pb2 as pb
from dcodex_proto.v1.executor_pb2_grpc import ExecutorStub
from dcodex_shared.errors import Reason
from dcodex_shared.farm import FarmView, QueueView, WorkerView, pack_farm
from dcodex_shared.limits import MAX_CHUNK_BYTES, OUTPUT_WINDOW_BYTES, STDIN_WINDOW_BYTES
from dcodex_shared.messages import (
    Cancel,
    Credit,
    FarmState,
    Output,
    Queued,
    Refused,
    Signal,
    Started,
    Stdin,
    StdinClose,
    StdinCredit,
    Stream,
    Submit,
    Verdict,
    WatchFarm,
)
from dcodex_shared.program import pack_records, unpack_program
from dcodex_shared.wire import MAX_PAYLOAD_BYTES


@pytest.fixture(scope="module")
def gateway() -> Iterator[GatewayProcess]:
    process = GatewayProcess()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def channel(gateway: GatewayProcess) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(gateway.target) as made:
        yield made


@pytest.fixture(scope="module")
def peer(gateway: GatewayProcess, channel: grpc.Channel) -> Iterator[Peer]:
    made = Peer(gateway.endpoint)
    made.meet()
    gateway.await_log("languages=cpp")
    yield made
    made.close()


@pytest.fixture
def native(channel: grpc.Channel, peer: Peer) -> ExecutorStub:
    peer.forget()
    return ExecutorStub(channel)


@pytest.fixture
def classic(channel: grpc.Channel, peer: Peer) -> CodeExecutorStub:
    peer.forget()
    return CodeExecutorStub(channel)


class Caller:
    """The caller's side of one Execute, with a request stream that the test feeds."""

    def __init__(self, native: ExecutorStub, start: pb.Start) -> None:
        self._requests: queue.Queue[pb.ExecuteRequest | None] = queue.Queue()
        self.say(start=start)
        self.call = native.Execute(iter(self._requests.get, None), timeout=PATIENCE_S)

    def say(self, **request: object) -> None:
        self._requests.put(pb.ExecuteRequest(**request))  # type: ignore[arg-type] # one of oneof

    def half_close(self) -> None:
        self._requests.put(None)

    def next(self) -> pb.ExecuteEvent:
        event: pb.ExecuteEvent = next(self.call)
        return event

    def expect(self, kind: str) -> pb.ExecuteEvent:
        event = self.next()
        assert event.WhichOneof("event") == kind
        return event


def python(source: bytes = b"print(1)", **fields: object) -> pb.Start:
    return pb.Start(language="python", source=source, **fields)  # type: ignore[arg-type] # by name


class Failure(Protocol):
    """What a failed call tells."""

    def code(self) -> grpc.StatusCode: ...
    def details(self) -> str: ...
    def trailing_metadata(self) -> tuple[tuple[str, str], ...]: ...


def error_of(call: Callable[[], object]) -> Failure:
    with pytest.raises(grpc.RpcError) as error:
        call()
    return cast(Failure, error.value)


# --- Run -------------------------------------------------------------------------------------


def test_run_answers_with_everything_the_program_wrote(native: ExecutorStub, peer: Peer) -> None:
    call = native.Run.future(python(stdin=b"in"), timeout=PATIENCE_S)
    submit, payload = peer.answer(
        [(Stream.STDOUT, b"one\n"), (Stream.STDERR, b"oops\n"), (Stream.STDOUT, b"two\n")],
        Verdict.NONZERO_EXIT,
        exit_code=3,
    )
    program = unpack_program(payload)
    assert not submit.streaming
    assert program.files[0].path == "main.py"
    assert (program.stdin, program.stdin_complete) == (b"in", True)
    reply = call.result()
    assert (reply.stdout, reply.stderr) == (b"one\ntwo\n", b"oops\n")
    assert reply.execution_id == submit.execution_id
    assert reply.finished.verdict == pb.VERDICT_NONZERO_EXIT
    assert reply.finished.exit_code == 3
    assert reply.finished.usage.wall_s == pytest.approx(0.015)


def test_equal_runs_have_one_cache_key_and_a_bypass_has_none(
    native: ExecutorStub, peer: Peer
) -> None:
    keys = []
    for cache in (pb.CACHE_POLICY_UNSPECIFIED, pb.CACHE_POLICY_USE, pb.CACHE_POLICY_BYPASS):
        call = native.Run.future(python(cache=cache), timeout=PATIENCE_S)
        keys.append(peer.answer([])[0].cache_key)
        call.result()
    assert keys[0] == keys[1]
    assert len(keys[0]) == 32
    assert keys[2] == b""


def test_a_refusal_has_its_status_and_says_when_to_come_back(
    native: ExecutorStub, peer: Peer
) -> None:
    call = native.Run.future(python(), timeout=PATIENCE_S)
    submit, _ = peer.expect(Submit)
    peer.send(Refused(submit.execution_id, Reason.RESOURCE_EXHAUSTED, "the queue is full", 0.25))
    error = error_of(lambda: call.result())
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.details() == "the queue is full"
    assert ("retry-after-ms", "250") in error.trailing_metadata()


def test_a_caller_that_gives_up_a_run_has_its_program_cancelled(
    native: ExecutorStub, peer: Peer
) -> None:
    call = native.Run.future(python(), timeout=PATIENCE_S)
    submit, _ = peer.expect(Submit)
    call.cancel()
    cancel, _ = peer.expect(Cancel)
    assert cancel.execution_id == submit.execution_id


def test_the_deadline_travels_and_its_end_cancels_the_program(
    native: ExecutorStub, peer: Peer
) -> None:
    call = native.Run.future(python(), timeout=0.5)
    submit, _ = peer.expect(Submit)
    assert 0.1 < submit.deadline_s < 0.6
    assert peer.expect(Cancel)[0].execution_id == submit.execution_id
    assert error_of(call.result).code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_caller_that_asks_where_the_time_goes_is_told_in_trailing_metadata(
    native: ExecutorStub, peer: Peer
) -> None:
    call = native.Run.future(python(), timeout=PATIENCE_S, metadata=(("dcodex-trace", "1"),))
    submit, _ = peer.expect(Submit)
    assert submit.trace
    stamps = (("worker.leased", 1.0), ("worker.finished", 2.0))
    peer.send(finished(submit.execution_id, stamps=stamps))
    call.result()
    told = dict(cast(Failure, call).trailing_metadata())["dcodex-stamps"]
    assert [where for where, _ in json.loads(told)] == [
        "gateway.received",
        "worker.leased",
        "worker.finished",
        "gateway.answered",
    ]


def test_a_runs_output_that_comes_before_its_end_is_given_back_and_in_the_answer(
    native: ExecutorStub, peer: Peer
) -> None:
    call = native.Run.future(python(), timeout=PATIENCE_S)
    submit, _ = peer.expect(Submit)
    execution_id, size = submit.execution_id, submit.window_bytes // 4
    for letter in (b"a", b"b"):
        peer.send(Output(execution_id, Stream.STDOUT), letter * size)
        peer.send(Output(execution_id, Stream.STDERR), letter)
    assert peer.expect(Credit)[0].count == 2 * size + 1
    records = [(Stream.STDOUT, b"c"), (Stream.STDERR, b"c")]
    peer.send(finished(execution_id), pack_records(records))
    reply = call.result()
    assert reply.stdout == b"a" * size + b"b" * size + b"c"
    assert reply.stderr == b"abc"


def test_a_run_whose_worker_sends_more_than_an_answer_may_hold_is_stopped(
    native: ExecutorStub, peer: Peer
) -> None:
    call = native.Run.future(python(), timeout=PATIENCE_S)
    submit, _ = peer.expect(Submit)
    for _ in range(MAX_PAYLOAD_BYTES // (1 << 20) + 1):
        peer.send(Output(submit.execution_id, Stream.STDOUT), b"x" * (1 << 20))
    while (said := peer.receive()) is not None and isinstance(said[0], Credit):
        pass
    assert said is not None
    assert said[0] == Cancel(submit.execution_id, "the answer of the worker made no sense")
    assert error_of(call.result).code() is grpc.StatusCode.UNAVAILABLE


def test_an_answer_that_makes_no_sense_ends_the_run_and_not_the_gateway(
    native: ExecutorStub, peer: Peer
) -> None:
    call = native.Run.future(python(), timeout=PATIENCE_S)
    submit, _ = peer.expect(Submit)
    peer.send(finished(submit.execution_id, 99), b"")
    assert error_of(call.result).code() is grpc.StatusCode.UNAVAILABLE
    call = native.Run.future(python(), timeout=PATIENCE_S)
    submit, _ = peer.expect(Submit)
    peer.send(Output(submit.execution_id, 3), b"of no stream")
    assert error_of(call.result).code() is grpc.StatusCode.UNAVAILABLE
    assert peer.expect(Cancel)[0].execution_id == submit.execution_id
    call = native.Run.future(python(), timeout=PATIENCE_S)
    submit, _ = peer.expect(Submit)
    peer.send(finished(submit.execution_id), b"no records")
    assert error_of(call.result).code() is grpc.StatusCode.UNAVAILABLE


# --- Execute ---------------------------------------------------------------------------------


def test_execute_tells_of_the_program_step_by_step(native: ExecutorStub, peer: Peer) -> None:
    caller = Caller(native, python())
    submit, payload = peer.expect(Submit)
    assert submit.streaming
    assert submit.cache_key == b""
    assert not unpack_program(payload).stdin_complete
    execution_id = submit.execution_id
    assert caller.expect("accepted").accepted.execution_id == execution_id
    peer.send(Queued(execution_id, 4))
    assert caller.expect("queued").queued.position == 4
    peer.send(Started(execution_id, "host/1", 0.5, True))
    assert caller.expect("started").started.worker_id == "host/1"
    for stream, kind in (
        (Stream.COMPILER, "compiler_output"),
        (Stream.STDOUT, "stdout"),
        (Stream.STDERR, "stderr"),
    ):
        peer.send(Output(execution_id, stream), b"text")
        assert getattr(caller.expect(kind), kind) == b"text"
    peer.send(finished(execution_id), pack_records([(Stream.STDOUT, b"rest")]))
    assert caller.expect("stdout").stdout == b"rest"
    assert caller.expect("finished").finished.verdict == pb.VERDICT_OK
    with pytest.raises(StopIteration):
        caller.next()


def test_stdin_signals_and_the_half_close_reach_the_program(
    native: ExecutorStub, peer: Peer
) -> None:
    caller = Caller(native, python())
    submit, _ = peer.expect(Submit)
    caller.say(stdin=b"line\n")
    assert peer.expect(Stdin) == (Stdin(submit.execution_id), b"line\n")
    caller.say(signal=10)
    assert peer.expect(Signal)[0].number == 10
    caller.half_close()
    peer.expect(StdinClose)
    peer.send(finished(submit.execution_id))
    assert [event.WhichOneof("event") for event in caller.call] == ["accepted", "finished"]


def test_stdin_beyond_the_window_waits_for_the_program(native: ExecutorStub, peer: Peer) -> None:
    caller = Caller(native, python())
    submit, _ = peer.expect(Submit)
    data = bytes(range(256)) * (STDIN_WINDOW_BYTES // 256) * 3
    caller.say(stdin=data)
    caller.say(stdin_close=pb.StdinClose())
    received = b""
    while len(received) < len(data):
        piece = peer.expect(Stdin)[1]
        received += piece
        if len(received) < len(data):
            # The window is full: nothing more comes before the program reads.
            assert peer.receive(0.05) is None
        peer.send(StdinCredit(submit.execution_id, len(piece)))
    assert received == data
    peer.expect(StdinClose)
    peer.send(finished(submit.execution_id))


def test_a_signal_overtakes_stdin_that_waits_for_the_program(
    native: ExecutorStub, peer: Peer
) -> None:
    caller = Caller(native, python(execution_id="mine"))
    submit, _ = peer.expect(Submit)
    caller.expect("accepted")
    for _ in range(8):
        # Far more than is taken before the program reads: it waits in every hop.
        caller.say(stdin=bytes(STDIN_WINDOW_BYTES))
    caller.say(signal=10)
    peer.expect(Stdin)
    assert peer.receive(0.05) is None
    native.Signal(pb.SignalRequest(execution_id="mine", signal=12), timeout=PATIENCE_S)
    assert peer.expect(Signal)[0] == Signal(submit.execution_id, 12)
    peer.send(finished(submit.execution_id))
    caller.expect("finished")
    over = error_of(
        lambda: native.Signal(pb.SignalRequest(execution_id="mine", signal=12), timeout=PATIENCE_S)
    )
    assert over.code() is grpc.StatusCode.NOT_FOUND


def test_a_signal_that_there_is_none_of_is_refused(native: ExecutorStub, peer: Peer) -> None:
    caller = Caller(native, python(execution_id="mine"))
    submit, _ = peer.expect(Submit)
    caller.expect("accepted")
    for number in (0, 32, -1):
        request = pb.SignalRequest(execution_id="mine", signal=number)
        error = error_of(partial(native.Signal, request, timeout=PATIENCE_S))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    peer.send(finished(submit.execution_id))
    caller.expect("finished")


def test_what_the_caller_takes_is_given_back_in_credits(native: ExecutorStub, peer: Peer) -> None:
    caller = Caller(native, python())
    submit, _ = peer.expect(Submit)
    caller.expect("accepted")
    returned = 0
    for _ in range(OUTPUT_WINDOW_BYTES // MAX_CHUNK_BYTES):
        peer.send(Output(submit.execution_id, Stream.STDOUT), b"x" * MAX_CHUNK_BYTES)
        assert len(caller.expect("stdout").stdout) == MAX_CHUNK_BYTES
    while returned < OUTPUT_WINDOW_BYTES:
        returned += peer.expect(Credit)[0].count
    assert returned == OUTPUT_WINDOW_BYTES
    peer.send(finished(submit.execution_id))
    caller.expect("finished")


def test_a_worker_that_sends_more_than_its_window_is_stopped(
    native: ExecutorStub, peer: Peer
) -> None:
    caller = Caller(native, python())
    submit, _ = peer.expect(Submit)
    peer.send(Output(submit.execution_id, Stream.STDOUT), b"x" * (OUTPUT_WINDOW_BYTES + 1))
    assert peer.expect(Cancel)[0].execution_id == submit.execution_id
    error = error_of(lambda: list(caller.call))
    assert error.code() is grpc.StatusCode.UNAVAILABLE


def test_a_cancelled_stream_cancels_its_program(native: ExecutorStub, peer: Peer) -> None:
    caller = Caller(native, python())
    submit, _ = peer.expect(Submit)
    caller.expect("accepted")
    caller.call.cancel()
    while not isinstance((received := peer.receive()), tuple) or isinstance(
        received[0], StdinClose
    ):
        assert received is not None
    assert received[0].execution_id == submit.execution_id  # type: ignore[union-attr] # a Cancel
    assert isinstance(received[0], Cancel)


@pytest.mark.parametrize(
    ("requests", "words"),
    [
        ([], "no start message"),
        ([pb.ExecuteRequest()], "must be start"),
        ([pb.ExecuteRequest(stdin=b"x")], "must be start"),
        ([pb.ExecuteRequest(signal=9)], "must be start"),
    ],
)
def test_a_stream_that_does_not_begin_with_a_start_is_refused(
    native: ExecutorStub, requests: list[pb.ExecuteRequest], words: str
) -> None:
    error = error_of(lambda: list(native.Execute(iter(requests), timeout=PATIENCE_S)))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert words in error.details()


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (pb.ExecuteRequest(start=python()), "only the first"),
        (pb.ExecuteRequest(), "nothing known"),
        (pb.ExecuteRequest(signal=0), "signal"),
        (pb.ExecuteRequest(signal=32), "signal"),
        (pb.ExecuteRequest(signal=-1), "signal"),
    ],
)
def test_nonsense_in_a_running_stream_ends_it_and_its_program(
    native: ExecutorStub, peer: Peer, request_: pb.ExecuteRequest, words: str
) -> None:
    requests = [pb.ExecuteRequest(start=python()), request_]
    call = native.Execute(iter(requests), timeout=PATIENCE_S)
    submit, _ = peer.expect(Submit)
    assert peer.expect(Cancel)[0].execution_id == submit.execution_id
    error = error_of(lambda: list(call))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert words in error.details()


def test_stdin_after_stdin_complete_is_refused(native: ExecutorStub, peer: Peer) -> None:
    requests = [
        pb.ExecuteRequest(start=python(stdin_complete=True)),
        pb.ExecuteRequest(stdin=b"late"),
    ]
    call = native.Execute(iter(requests), timeout=PATIENCE_S)
    submit, payload = peer.expect(Submit)
    assert len(submit.cache_key) == 32
    assert unpack_program(payload).stdin_complete
    peer.expect(Cancel)
    error = error_of(lambda: list(call))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


#: The tag of a field that no message has, and then nothing.
GARBAGE = b"\xff\xff\xff"


# --- bad input -------------------------------------------------------------------------------


def test_an_unknown_language_is_answered_with_the_known_ones(native: ExecutorStub) -> None:
    error = error_of(
        lambda: native.Run(pb.Start(language="cobol", source=b"x"), timeout=PATIENCE_S)
    )
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "python" in error.details()
    assert "cpp" in error.details()


def test_a_message_above_the_size_limit_is_refused(native: ExecutorStub) -> None:
    error = error_of(lambda: native.Run(python(b"#" * (17 << 20)), timeout=PATIENCE_S))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_bytes_that_are_no_message_are_the_callers_fault(channel: grpc.Channel, peer: Peer) -> None:
    raw: Any = channel  # the stubs know no channel without serializers
    for method in ("/dcodex.v1.Executor/Run", "/dcodex.v1.Executor/Languages"):
        unary = raw.unary_unary(method)
        error = error_of(partial(unary, GARBAGE, timeout=PATIENCE_S))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    for method in ("/dcodex.CodeExecutor/Execute", "/dcodex.v1.Executor/Farm"):
        stream = raw.unary_stream(method)
        error = error_of(partial(next, stream(GARBAGE, timeout=PATIENCE_S)))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    execute = raw.stream_stream("/dcodex.v1.Executor/Execute")
    error = error_of(lambda: list(execute(iter([GARBAGE]), timeout=PATIENCE_S)))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_garbage_from_the_coordinators_side_is_dropped_and_counted(
    gateway: GatewayProcess, native: ExecutorStub, peer: Peer
) -> None:
    for frames in ((b"",), (b"\xc1", b""), (b"x", b"y", b"z"), (b"\x91\x7f", b"")):
        peer.send_frames(*frames)
    peer.send(Output("nobody's", Stream.STDOUT), b"late")
    peer.send(FarmState(), b"no snapshot")
    call = native.Run.future(python(), timeout=PATIENCE_S)
    peer.answer([(Stream.STDOUT, b"fine")])
    assert call.result().stdout == b"fine"
    text = scrape(gateway)
    assert 'dcodex_gateway_dropped_messages_total{reason="malformed"} 4.0' in text


# --- Languages, Farm, health, reflection, metrics --------------------------------------------


def test_languages_are_those_of_the_farm_with_the_operators_limits(native: ExecutorStub) -> None:
    reply = native.Languages(pb.LanguagesRequest(), timeout=PATIENCE_S)
    by_name = {language.name: language for language in reply.languages}
    assert set(by_name) == {"cpp", "python"}
    assert by_name["cpp"].compiled
    assert by_name["python"].version == "3.11.2"
    assert "py" in by_name["python"].aliases
    assert by_name["python"].extension == ".py"
    assert by_name["python"].default_limits.output_bytes == 64 * 1024
    assert by_name["python"].ceiling.wall_s == 300.0


VIEW = FarmView(
    workers=(
        WorkerView("h/1", "h", 2, "python", "mine", "anonymous", 0.5, 3, ()),
        WorkerView("h/2", "h", 2, "cpp", "theirs", "somebody", 0.5, 4, ()),
        WorkerView("h/3", "h", 1, "python", "", "", 0.5, 5, ()),
        WorkerView("h/4", "h", 3, "python", "", "", 0.5, 6, ()),
        WorkerView("h/5", "h", 4, "python", "", "", 0.5, 7, ()),
    ),
    queues=(QueueView("python", 7, 0.25),),
    workers_desired=4,
    executions_total=25,
    cache_hits_total=2,
    cache_misses_total=23,
    latency_p50_s=0.005,
    latency_p99_s=0.25,
    peak_memory_bytes=123_456,
    load_average=1.5,
)


def test_farm_shows_workers_and_queues_but_not_other_tenants_executions(
    native: ExecutorStub, peer: Peer
) -> None:
    call = native.Farm(pb.FarmRequest(), timeout=PATIENCE_S)
    assert peer.expect(WatchFarm)[0].on
    peer.send(FarmState(), pack_farm(VIEW))
    snapshot = next(call)
    assert [worker.execution_id for worker in snapshot.workers] == ["mine", "", "", "", ""]
    assert snapshot.workers[2].state == pb.WORKER_STATE_IDLE
    assert snapshot.queues[0].depth == 7
    assert snapshot.workers_desired == 4
    peer.send(FarmState(), pack_farm(VIEW))
    next(call)
    call.cancel()


def test_system_metrics_are_the_farms_figures(classic: CodeExecutorStub, peer: Peer) -> None:
    call = classic.GetSystemMetrics.future(classic_pb.EmptyRequest(), timeout=PATIENCE_S)
    # Somebody may have watched a moment ago, and the gateway then still knows.
    received = peer.receive(0.2)
    if received is not None:
        assert isinstance(received[0], WatchFarm)
        peer.send(FarmState(), pack_farm(VIEW))
    metrics = call.result()
    assert metrics.active_workers == 2
    assert metrics.idle_workers == 1
    assert metrics.recycling_workers == 1
    assert metrics.current_pool_size == 4
    assert metrics.total_requests_served == 25
    assert metrics.p50_latency_ms == pytest.approx(5.0)
    assert metrics.p99_latency_ms == pytest.approx(250.0)
    assert metrics.cache_hits == 2
    assert metrics.peak_memory_usage_bytes == 123_456
    assert metrics.cpu_load_average == 1.5


def test_health_is_serving_while_there_is_a_language(channel: grpc.Channel, peer: Peer) -> None:
    stub: Any = health_pb2_grpc.HealthStub(channel)  # its stubs say nothing of its methods
    for service in ("", "dcodex.v1.Executor", "dcodex.CodeExecutor"):
        reply = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE_S)
        assert reply.status == health_pb2.HealthCheckResponse.SERVING
    error = error_of(
        lambda: stub.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=PATIENCE_S)
    )
    assert error.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_lists_every_service(channel: grpc.Channel) -> None:
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)  # as above
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (reply,) = stub.ServerReflectionInfo(iter([request]), timeout=PATIENCE_S)
    names = {service.name for service in reply.list_services_response.service}
    assert names == {
        "dcodex.v1.Executor",
        "dcodex.CodeExecutor",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }


def scrape(gateway: GatewayProcess, path: str = "/metrics") -> str:
    url = f"http://127.0.0.1:{gateway.metrics_port}{path}"
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as reply:
        text: str = reply.read().decode()
    return text


def test_metrics_and_readiness_are_served(
    gateway: GatewayProcess, native: ExecutorStub, peer: Peer
) -> None:
    call = native.Run.future(python(), timeout=PATIENCE_S)
    peer.answer([])
    call.result()
    text = scrape(gateway)
    assert 'dcodex_gateway_calls_total{code="OK",method="Run"}' in text
    assert 'dcodex_gateway_call_duration_seconds_bucket{le="0.1",method="Run"}' in text
    assert "dcodex_gateway_serving 1.0" in text
    assert scrape(gateway, "/readyz") == "ready\n"
    assert scrape(gateway, "/healthz") == "ok\n"


# --- the classic API -------------------------------------------------------------------------


def test_a_classic_client_gets_output_as_it_comes_and_figures_last(
    classic: CodeExecutorStub, peer: Peer
) -> None:
    call = classic.Execute(
        classic_pb.CodeRequest(language="py", code="print(1)", stdin_data=""), timeout=PATIENCE_S
    )
    submit, payload = peer.expect(Submit)
    program = unpack_program(payload)
    assert program.language == "python"
    assert program.stdin_complete
    assert len(submit.cache_key) == 32
    peer.send(Output(submit.execution_id, Stream.STDOUT), b"caf\xc3")
    assert next(call).stdout_chunk == "caf"
    peer.send(Output(submit.execution_id, Stream.STDOUT), b"\xa9\xff\n")
    assert next(call).stdout_chunk == "é\ufffd\n"
    peer.send(Output(submit.execution_id, Stream.STDERR), b"warning")
    assert next(call).stderr_chunk == "warning"
    peer.send(finished(submit.execution_id, cache_hit=True))
    last = next(call)
    assert (last.stdout_chunk, last.stderr_chunk) == ("", "")
    assert last.peak_memory_bytes == 9_000_000
    assert last.execution_time_ms == pytest.approx(15.0)
    assert last.cache_hit
    assert not last.wall_clock_timeout
    with pytest.raises(StopIteration):
        next(call)


def test_a_classic_failure_is_words_and_never_a_grpc_error(
    classic: CodeExecutorStub, peer: Peer
) -> None:
    call = classic.Execute(
        classic_pb.CodeRequest(language="a/solution.cpp", code="x"), timeout=PATIENCE_S
    )
    peer.answer([(Stream.COMPILER, b"main.cpp:1: error: x")], Verdict.COMPILE_ERROR, exit_code=-1)
    logs = list(call)
    assert [log.stderr_chunk for log in logs] == [
        "main.cpp:1: error: x",
        "ERROR: Compilation failed\n",
        "",
    ]


def test_a_classic_request_in_an_unknown_language_names_the_known_ones(
    classic: CodeExecutorStub,
) -> None:
    error = error_of(
        lambda: list(classic.Execute(classic_pb.CodeRequest(language="cobol", code="x")))
    )
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "python" in error.details()


def test_a_classic_stream_that_is_cancelled_cancels_its_program(
    classic: CodeExecutorStub, peer: Peer
) -> None:
    call = classic.Execute(classic_pb.CodeRequest(language="python", code="x"), timeout=PATIENCE_S)
    submit, _ = peer.expect(Submit)
    call.cancel()
    assert peer.expect(Cancel)[0].execution_id == submit.execution_id


def test_thousands_of_runs_at_once_each_get_their_own_answer(
    native: ExecutorStub, peer: Peer
) -> None:
    calls = [native.Run.future(python(b"#%d" % number), timeout=60) for number in range(4000)]

    def answer_all() -> None:
        for _ in calls:
            submit, payload = peer.expect(Submit)
            source = unpack_program(payload).files[0].content
            peer.send(finished(submit.execution_id), pack_records([(Stream.STDOUT, source)]))

    answering = Background(answer_all)
    answering.result()
    for number, call in enumerate(calls):
        assert call.result().stdout == b"#%d" % number
