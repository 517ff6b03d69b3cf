"""A gateway's life: before, without, after a coordinator; drains, stalls, wrong starts."""

from __future__ import annotations

import random
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.integration.gateway_peer import (
    PATIENCE_S,
    GatewayProcess,
    Peer,
    finished,
)

from dcodex_gateway.server import NOTICED_S, QUIET_S
from dcodex_proto.v1 import executor_pb2 as pb
from dcodex_proto.v1.executor_pb2_grpc import ExecutorStub
from dcodex_shared.errors import Reason
from dcodex_shared.farm import FarmView, pack_farm
from dcodex_shared.limits import MAX_CHUNK_BYTES, OUTPUT_WINDOW_BYTES
from dcodex_shared.messages import (
    LOST_S,
    Cancel,
    Credit,
    FarmState,
    Goodbye,
    Hello,
    LanguageList,
    Output,
    Refused,
    Started,
    StdinClose,
    Stream,
    Submit,
    WatchFarm,
    Welcome,
)
from dcodex_shared.program import pack_records

EMPTY_FARM = FarmView((), (), 0, 0, 0, 0, 0.0, 0.0, 0, 0.0)
START = pb.Start(language="python", source=b"x")


class Scene:
    """A gateway, a channel to it, and the coordinators of one test."""

    def __init__(self, stack: ExitStack, *flags: str) -> None:
        self._stack = stack
        self.gateway = GatewayProcess(*flags)
        stack.callback(self.gateway.stop)
        self.channel = self.new_channel()
        self.native = ExecutorStub(self.channel)

    def new_channel(self) -> grpc.Channel:
        # Each has a connection of its own, so that closing one is a caller's death.
        options = [("grpc.use_local_subchannel_pool", 1)]
        channel = grpc.insecure_channel(self.gateway.target, options=options)
        self._stack.callback(channel.close)
        return channel

    def peer(self, *, beats: bool = True) -> Peer:
        peer = Peer(self.gateway.endpoint, beats=beats)
        self._stack.callback(peer.close)
        return peer

    def meet(self) -> Peer:
        peer = self.peer()
        peer.meet()
        self.await_health(health_pb2.HealthCheckResponse.SERVING)
        return peer

    def await_health(self, wanted: int) -> None:
        stub: Any = health_pb2_grpc.HealthStub(self.channel)  # its stubs say nothing of methods
        watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S)
        for reply in watch:
            if reply.status == wanted:
                watch.cancel()
                return
        raise AssertionError("the health never became what it should")

    def run(self) -> Any:
        return self.native.Run.future(START, timeout=PATIENCE_S)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def code(call: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as error:
        call.result()
    status: grpc.StatusCode = error.value.code()
    return status


# --- without a coordinator, and with another -------------------------------------------------


def test_without_a_coordinator_callers_are_told_soon_and_health_says_so(
    stack: ExitStack,
) -> None:
    scene = Scene(stack)
    scene.await_health(health_pb2.HealthCheckResponse.NOT_SERVING)
    call = scene.run()
    assert code(call) is grpc.StatusCode.UNAVAILABLE
    with pytest.raises(grpc.RpcError) as error:
        scene.native.Languages(pb.LanguagesRequest(), timeout=PATIENCE_S)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    scene.meet()
    scene.native.Languages(pb.LanguagesRequest(), timeout=PATIENCE_S)


def test_a_farm_without_workers_is_not_serving_and_callers_wait_for_their_return(
    stack: ExitStack,
) -> None:
    scene = Scene(stack)
    peer = scene.meet()
    peer.send(LanguageList(()))
    scene.await_health(health_pb2.HealthCheckResponse.NOT_SERVING)
    waiting = scene.run()
    peer.send(LanguageList((("python", "3.12.1"),)))
    scene.await_health(health_pb2.HealthCheckResponse.SERVING)
    peer.answer([(Stream.STDOUT, b"at last")])
    assert waiting.result().stdout == b"at last"


def test_what_a_draining_coordinator_gives_back_goes_to_its_successor_once(
    stack: ExitStack,
) -> None:
    scene = Scene(stack)
    peer = scene.meet()
    waiting = scene.run()
    submit, program = peer.expect(Submit)
    lost = scene.run()
    peer.expect(Submit)
    peer.send(Refused(submit.execution_id, Reason.UNAVAILABLE, "draining", 1.0))
    peer.send(Goodbye("drained"))
    # The other one may have been started.
    assert code(lost) is grpc.StatusCode.UNAVAILABLE
    peer.close()
    successor = scene.meet()
    again, payload = successor.expect(Submit)
    assert (again.execution_id, payload) == (submit.execution_id, program)
    successor.send(Refused(submit.execution_id, Reason.UNAVAILABLE, "draining too", 1.0))
    assert code(waiting) is grpc.StatusCode.UNAVAILABLE


def test_what_came_while_the_last_host_went_is_sent_again_when_there_is_one(
    stack: ExitStack,
) -> None:
    scene = Scene(stack)
    peer = scene.meet()
    waiting = scene.run()
    submit, program = peer.expect(Submit)
    peer.send(LanguageList(()))
    peer.send(Refused(submit.execution_id, Reason.UNAVAILABLE, "no worker host", 1.0))
    peer.send(LanguageList((("c", "12.2.0"),)))
    peer.send(LanguageList((("c", "12.2.0"), ("python", "3.12.1"))))
    again, payload = peer.expect(Submit)
    assert (again.execution_id, payload) == (submit.execution_id, program)
    peer.send(Refused(submit.execution_id, Reason.UNAVAILABLE, "no worker host", 1.0))
    # Once is enough.
    assert code(waiting) is grpc.StatusCode.UNAVAILABLE


def test_what_did_not_reach_a_coordinator_that_ended_in_order_goes_to_its_successor_once(
    stack: ExitStack,
) -> None:
    scene = Scene(stack)
    peer = scene.meet()
    waiting = scene.run()
    submit, program = peer.expect(Submit)
    streaming = scene.native.Execute(iter([pb.ExecuteRequest(start=START)]), timeout=PATIENCE_S)
    started, _ = peer.expect(Submit)
    peer.send(Started(started.execution_id, "host/1", 0.0, True))
    assert next(streaming).WhichOneof("event") == "accepted"
    assert next(streaming).WhichOneof("event") == "started"
    peer.send(Goodbye("drained", settled=True))
    # It had begun, whatever the coordinator says.
    with pytest.raises(grpc.RpcError) as error:
        next(streaming)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    peer.close()
    successor = scene.meet()
    again, payload = successor.expect(Submit)
    assert (again.execution_id, payload) == (submit.execution_id, program)
    successor.send(Goodbye("drained too", settled=True))
    assert code(waiting) is grpc.StatusCode.UNAVAILABLE


def test_callers_hear_of_a_dead_coordinator_at_once_and_its_successor_is_met(
    stack: ExitStack,
) -> None:
    scene = Scene(stack)
    peer = scene.meet()
    unary = scene.run()
    peer.expect(Submit)
    stream = scene.native.Execute(iter([pb.ExecuteRequest(start=START)]), timeout=PATIENCE_S)
    submit, _ = peer.expect(Submit)
    peer.send(Output(submit.execution_id, Stream.STDOUT), b"so far")
    assert next(stream).WhichOneof("event") == "accepted"
    assert next(stream).stdout == b"so far"
    died = time.monotonic()
    peer.close()
    assert code(unary) is grpc.StatusCode.UNAVAILABLE
    with pytest.raises(grpc.RpcError) as error:
        next(stream)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    assert time.monotonic() - died < 1.0
    scene.await_health(health_pb2.HealthCheckResponse.NOT_SERVING)
    # Hello is the first thing that the successor hears: nothing meant for the dead one.
    successor = scene.meet()
    again = scene.run()
    successor.answer([(Stream.STDOUT, b"again")])
    assert again.result().stdout == b"again"


def test_whoever_watches_the_farm_hears_that_nobody_tells_of_it_any_more(
    stack: ExitStack,
) -> None:
    scene = Scene(stack)
    peer = scene.meet()
    farm = scene.native.Farm(pb.FarmRequest(), timeout=PATIENCE_S)
    peer.expect(WatchFarm)
    peer.send(FarmState(), pack_farm(EMPTY_FARM))
    next(farm)
    peer.close()
    with pytest.raises(grpc.RpcError) as error:
        next(farm)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    # The successor is asked only when somebody watches again, or still may.
    successor = scene.meet()
    again = scene.native.Farm(pb.FarmRequest(), timeout=PATIENCE_S)
    successor.expect(WatchFarm)
    successor.send(FarmState(), pack_farm(EMPTY_FARM))
    assert next(again).workers_desired == 0


def test_a_silent_coordinator_is_taken_for_dead_and_greeted_again(stack: ExitStack) -> None:
    scene = Scene(stack)
    peer = scene.peer(beats=False)
    peer.meet()
    call = scene.run()
    peer.expect(Submit)
    asked = time.monotonic()
    assert code(call) is grpc.StatusCode.UNAVAILABLE
    assert LOST_S - 1.5 < time.monotonic() - asked < LOST_S + 2
    peer.expect(Hello)
    # What it says before its Welcome is of an earlier acquaintance.
    peer.send(LanguageList((("python", "2.7"),)))
    peer.send(Welcome(peer.boot_id))
    peer.send(LanguageList((("python", "3.12.1"),)))
    scene.await_health(health_pb2.HealthCheckResponse.SERVING)


def test_a_coordinator_that_says_goodbye_is_asked_again(stack: ExitStack) -> None:
    scene = Scene(stack)
    peer = scene.peer()
    peer.expect(Hello)
    peer.send(Goodbye("another version"))
    scene.gateway.await_log("another version")
    peer.meet()
    scene.await_health(health_pb2.HealthCheckResponse.SERVING)


def test_a_gateway_that_was_stopped_for_long_lives_on(stack: ExitStack) -> None:
    scene = Scene(stack)
    peer = scene.meet()
    call = scene.run()
    submit, _ = peer.expect(Submit)
    scene.gateway.process.send_signal(signal.SIGSTOP)
    assert peer.receive(LOST_S + 1) is None
    peer.send(finished(submit.execution_id), pack_records([(Stream.STDOUT, b"kept")]))
    scene.gateway.process.send_signal(signal.SIGCONT)
    # The coordinator's beats have waited for it, so it has no reason to give up.
    assert call.result().stdout == b"kept"


def test_thousands_of_bad_frames_change_nothing(stack: ExitStack) -> None:
    scene = Scene(stack)
    peer = scene.meet()
    draw = random.Random(1)
    for _ in range(5000):
        peer.send_frames(*(draw.randbytes(draw.randrange(40)) for _ in range(draw.randrange(1, 4))))
    call = scene.run()
    peer.answer([(Stream.STDOUT, b"fine")])
    assert call.result().stdout == b"fine"


def test_connections_that_speak_no_grpc_or_nothing_at_all_change_nothing(
    stack: ExitStack,
) -> None:
    scene = Scene(stack)
    peer = scene.meet()
    draw = random.Random(2)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for number in range(60):
        connection = socket.create_connection(("127.0.0.1", scene.gateway.port), PATIENCE_S)
        stack.callback(connection.close)
        # Some say nothing, some nonsense, some nonsense after a good beginning.
        if number % 3:
            connection.sendall(preface * (number % 3 - 1) + draw.randbytes(300))
    call = scene.run()
    peer.answer([(Stream.STDOUT, b"fine")])
    assert call.result().stdout == b"fine"


# --- pressure --------------------------------------------------------------------------------


def resident_bytes(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def test_callers_that_do_not_read_stop_their_programs_and_cost_the_gateway_little(
    stack: ExitStack,
) -> None:
    scene = Scene(stack)
    peer = scene.meet()
    calls, credit_of = {}, {}
    for _ in range(20):
        # A connection each, or one that stalls would be all that stalls.
        native = ExecutorStub(scene.new_channel())
        call = native.Execute(iter([pb.ExecuteRequest(start=START)]), timeout=60)
        submit, _ = peer.expect(Submit)
        calls[submit.execution_id], credit_of[submit.execution_id] = call, submit.window_bytes
        assert isinstance((peer.receive() or (None,))[0], StdinClose)
    before = resident_bytes(scene.gateway.process.pid)
    sent = dict.fromkeys(calls, 0)
    while True:
        for execution_id, credit in credit_of.items():
            for start in range(0, credit, MAX_CHUNK_BYTES):
                size = min(MAX_CHUNK_BYTES, credit - start)
                peer.send(Output(execution_id, Stream.STDOUT), b"x" * size)
                sent[execution_id] += size
            credit_of[execution_id] = 0
        if (received := peer.receive(1.0)) is None:
            break
        credit_message = received[0]
        assert isinstance(credit_message, Credit)
        credit_of[credit_message.execution_id] += credit_message.count
    grown = resident_bytes(scene.gateway.process.pid) - before
    assert grown < len(calls) * 2 * OUTPUT_WINDOW_BYTES + (10 << 20)
    # Whoever reads on gets everything, in order, and its program goes on.
    execution_id, call = next(iter(calls.items()))
    peer.send(finished(execution_id), pack_records([(Stream.STDOUT, b"end")]))
    data = b"".join(event.stdout for event in call)
    assert data == b"x" * sent[execution_id] + b"end"


def test_a_caller_that_dies_has_its_program_cancelled_quickly(stack: ExitStack) -> None:
    scene = Scene(stack)
    peer = scene.meet()
    channel = scene.new_channel()
    stream = ExecutorStub(channel).Execute(
        iter([pb.ExecuteRequest(start=START)]), timeout=PATIENCE_S
    )
    submit, _ = peer.expect(Submit)
    next(stream)
    died = time.monotonic()
    channel.close()
    while not isinstance((received := peer.receive()), tuple) or not isinstance(
        received[0], Cancel
    ):
        assert received is not None
    assert received[0].execution_id == submit.execution_id
    assert time.monotonic() - died < 0.2


# --- the end ---------------------------------------------------------------------------------


def test_a_drain_lets_running_programs_end_and_takes_no_new_ones(stack: ExitStack) -> None:
    scene = Scene(stack)
    peer = scene.meet()
    running = scene.run()
    submit, _ = peer.expect(Submit)
    scene.gateway.terminate()
    scene.await_health(health_pb2.HealthCheckResponse.NOT_SERVING)
    assert code(scene.run()) is grpc.StatusCode.UNAVAILABLE
    peer.send(finished(submit.execution_id), pack_records([(Stream.STDOUT, b"whole")]))
    assert running.result().stdout == b"whole"
    peer.expect(Goodbye)
    assert scene.gateway.wait() == 0


def test_a_drain_ends_with_its_grace(stack: ExitStack) -> None:
    scene = Scene(stack, "--drain_grace=200ms")
    peer = scene.meet()
    running = scene.run()
    submit, _ = peer.expect(Submit)
    scene.gateway.terminate()
    assert peer.expect(Cancel)[0].execution_id == submit.execution_id
    assert code(running) is grpc.StatusCode.UNAVAILABLE
    assert scene.gateway.wait() == 0


def test_a_second_signal_ends_a_drain(stack: ExitStack) -> None:
    scene = Scene(stack)
    peer = scene.meet()
    running = scene.run()
    peer.expect(Submit)
    scene.gateway.terminate()
    scene.gateway.await_log("draining")
    scene.gateway.terminate()
    peer.expect(Cancel)
    assert code(running) is grpc.StatusCode.UNAVAILABLE
    assert scene.gateway.wait() == 0


def test_an_idle_gateway_ends_at_once_even_while_it_is_watched(stack: ExitStack) -> None:
    scene = Scene(stack)
    scene.meet()
    farm = scene.native.Farm(pb.FarmRequest())
    stub: Any = health_pb2_grpc.HealthStub(scene.channel)  # as above
    watch = stub.Watch(health_pb2.HealthCheckRequest())
    next(watch)
    scene.gateway.terminate()
    assert scene.gateway.wait() == 0
    farm.cancel()


def test_a_gateway_that_hands_over_serves_whoever_still_comes_and_ends_when_nobody_does(
    stack: ExitStack,
) -> None:
    scene = Scene(stack)
    peer = scene.meet()
    running = scene.run()
    first, _ = peer.expect(Submit)
    scene.gateway.hand_over()
    scene.await_health(health_pb2.HealthCheckResponse.NOT_SERVING)
    late = scene.run()
    second, _ = peer.expect(Submit)
    for submit in (second, first):
        peer.send(finished(submit.execution_id), pack_records([(Stream.STDOUT, b"whole")]))
    assert running.result().stdout == late.result().stdout == b"whole"
    peer.expect(Goodbye)
    assert scene.gateway.wait() == 0


def test_a_gateway_with_the_port_to_itself_and_told_to_share_it_has_nobody_to_hand_over_to(
    stack: ExitStack,
) -> None:
    scene = Scene(stack, "--share_port")
    peer = scene.meet()
    running = scene.run()
    submit, _ = peer.expect(Submit)
    scene.gateway.hand_over()
    scene.await_health(health_pb2.HealthCheckResponse.NOT_SERVING)
    assert code(scene.run()) is grpc.StatusCode.UNAVAILABLE
    peer.send(finished(submit.execution_id), pack_records([(Stream.STDOUT, b"whole")]))
    assert running.result().stdout == b"whole"
    assert scene.gateway.wait() == 0


def test_a_gateway_that_was_stopped_while_it_handed_over_serves_who_came_meanwhile(
    stack: ExitStack,
) -> None:
    scene = Scene(stack)
    peer = scene.meet()
    scene.gateway.hand_over()
    scene.await_health(health_pb2.HealthCheckResponse.NOT_SERVING)
    scene.gateway.process.send_signal(signal.SIGSTOP)
    late = [scene.run() for _ in range(8)]
    # Past all the quiet that it waits for.
    with pytest.raises(grpc.FutureTimeoutError):
        late[0].result(NOTICED_S + QUIET_S)
    scene.gateway.process.send_signal(signal.SIGCONT)
    for _ in late:
        submit, _ = peer.expect(Submit)
        peer.send(finished(submit.execution_id), pack_records([(Stream.STDOUT, b"whole")]))
    assert [call.result().stdout for call in late] == [b"whole"] * len(late)
    assert scene.gateway.wait() == 0


# --- wrong starts ----------------------------------------------------------------------------


def start(*flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "dcodex_gateway", *flags],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_a_port_in_use_is_one_clear_line_and_status_one(stack: ExitStack) -> None:
    scene = Scene(stack)
    ended = start(f"--port={scene.gateway.port}", f"--runtime_dir={scene.gateway.runtime_dir}")
    assert ended.returncode == 1
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("dcodex-gateway:")]
    assert f"cannot serve gRPC on 127.0.0.1:{scene.gateway.port}" in line
    assert "--port" in line


def test_a_metrics_port_in_use_is_named_too(stack: ExitStack) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        scene = Scene(stack)
        ended = start(
            "--port=0",
            f"--metrics_port={taken.getsockname()[1]}",
            f"--runtime_dir={scene.gateway.runtime_dir}",
        )
    assert ended.returncode == 1
    assert "--metrics_port" in ended.stderr


def test_two_gateways_share_a_port_where_they_are_told_to(stack: ExitStack) -> None:
    scene = Scene(stack, "--share_port")
    other = GatewayProcess(
        "--share_port", f"--port={scene.gateway.port}", runtime_dir=scene.gateway.runtime_dir
    )
    stack.callback(other.stop)
    assert other.port == scene.gateway.port


@pytest.mark.parametrize(
    ("flag", "status"),
    [
        ("--port=many", 2),
        ("--log_level=loud", 2),
        ("--no_such_flag", 2),
        ("--gateway_endpoint=tcp://192.0.2.1:5000", 2),
        ("--gateway_endpoint=nonsense", 2),
    ],
)
def test_a_wrong_setting_ends_it_before_it_serves(flag: str, status: int) -> None:
    ended = start(flag)
    assert ended.returncode == status
    assert "Traceback" not in ended.stderr
