"""What becomes of workers and hosts: message in, messages out."""

from __future__ import annotations

import pytest
from tests.unit.coordinator.conftest import Farm, leased, only

from dcodex_coordinator.outbox import Side
from dcodex_shared.errors import Reason
from dcodex_shared.farm import FarmView, unpack_farm
from dcodex_shared.messages import (
    PROTOCOL_VERSION,
    Arm,
    Cancel,
    Credit,
    FarmState,
    Finished,
    Goodbye,
    Hello,
    LanguageList,
    Lease,
    Message,
    Output,
    Ready,
    Refused,
    Retire,
    Role,
    Signal,
    StartWorker,
    Stdin,
    StdinClose,
    StopWorker,
    Stream,
    WatchFarm,
    Welcome,
    WorkerExited,
)


def view(farm: Farm) -> FarmView:
    return farm.machine.snapshot(farm.now)


def states(farm: Farm) -> list[int]:
    return [worker.state for worker in view(farm).workers]


def test_the_first_host_is_asked_for_the_least_number_of_workers_python_first() -> None:
    farm = Farm(min_workers=3)
    started = only(farm.host(), StartWorker)
    languages = [start.language for start in started]
    assert languages[0] == "python"
    assert sorted(languages) == ["c", "python", "python"]
    assert len({start.worker_id for start in started}) == 3


def test_workers_are_spread_over_the_hosts_by_room() -> None:
    farm = Farm(min_workers=6, max_workers=10)
    farm.join(b"a", Role.HOST, "a")
    farm.join(b"b", Role.HOST, "b")
    farm.host(b"a", slots=2)
    sends = farm.host(b"b", slots=10)
    assert len(only(sends, StartWorker)) == 4
    assert {send.peer for send in sends if isinstance(send.message, StartWorker)} == {b"b"}


def test_a_host_without_memory_gets_no_worker(farm: Farm) -> None:
    assert not only(farm.host(memory_available_bytes=100 << 20), StartWorker)


def test_a_worker_of_nobodys_asking_is_turned_away(farm: Farm) -> None:
    farm.host()
    (goodbye,) = only(farm.join(b"w", Role.WORKER, "host/b00t1d.99"), Goodbye)
    assert "nobody asked" in goodbye.reason


def test_a_workers_name_can_be_used_once(farm: Farm) -> None:
    (start,) = only(farm.host(), StartWorker)
    assert only(farm.join(b"w", Role.WORKER, start.worker_id), Welcome)
    assert only(farm.join(b"thief", Role.WORKER, start.worker_id), Goodbye)


def test_another_version_of_the_protocol_is_turned_away(farm: Farm) -> None:
    farm.peers[b"g"] = Side.GATEWAYS
    assert only(farm.say(b"g", Hello(Role.GATEWAY, "g", version=99)), Goodbye)


@pytest.mark.parametrize("version", [PROTOCOL_VERSION - 1, PROTOCOL_VERSION + 1])
def test_the_version_before_and_the_one_after_are_welcome(farm: Farm, version: int) -> None:
    farm.peers[b"g"] = Side.GATEWAYS
    assert only(farm.say(b"g", Hello(Role.GATEWAY, "g", version)), Welcome)


def test_whoever_has_not_said_hello_is_told_to(farm: Farm) -> None:
    farm.peers[b"g"] = Side.GATEWAYS
    assert only(farm.say(b"g", WatchFarm(True)), Goodbye)
    assert farm.say(b"g", Goodbye("bye")) == []


def test_gateways_hear_of_every_change_of_languages(farm: Farm) -> None:
    farm.gateway()
    assert only(farm.host(), LanguageList) == [LanguageList((("c", "12"), ("python", "3.11")))]
    assert only(farm.host(), LanguageList) == []
    assert only(farm.host(languages=(("python", "3.11"),)), LanguageList)
    assert only(farm.say(b"host", Goodbye("off")), LanguageList) == [LanguageList(())]


def test_a_silent_worker_is_lost_and_its_caller_told(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit()
    assert not only(farm.wait(5.5, worker), Refused)
    sends = farm.wait(1.0, worker)
    assert only(sends, Refused)[0].reason == Reason.UNAVAILABLE
    assert only(sends, StopWorker) == [StopWorker(worker.decode())]


def test_a_worker_declared_lost_that_returns_is_not_believed(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit()
    farm.wait(7.0, worker)
    sends = farm.finish(worker, "e1", ready=False)
    assert only(sends, Finished) == []
    assert only(sends, Goodbye)


def test_our_own_pause_is_not_the_others_silence(farm: Farm) -> None:
    farm.worker()
    farm.now += 30.0
    sends = farm.machine.expire(farm.now)
    assert not only(sends, Goodbye)
    assert states(farm) == [1]


def test_an_exited_worker_is_replaced_and_its_caller_told(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit()
    sends = farm.say(b"host", WorkerExited(worker.decode(), "killed"))
    assert only(sends, Refused)[0].reason == Reason.UNAVAILABLE
    assert len(only(farm.wait(0.5), StartWorker)) == 1


def test_only_its_own_host_can_say_that_a_worker_exited(farm: Farm) -> None:
    worker = farm.worker()
    farm.host(b"other")
    farm.say(b"other", WorkerExited(worker.decode(), "a lie"))
    assert states(farm) == [1]


def test_workers_that_die_before_they_are_ready_are_not_started_in_a_loop(farm: Farm) -> None:
    starts = only(farm.host(), StartWorker)
    asked = 0
    for _ in range(100):
        for start in starts:
            farm.say(b"host", WorkerExited(start.worker_id, "no cgroup"))
        starts = only(farm.wait(0.5), StartWorker)
        asked += len(starts)
    assert 2 <= asked <= 10


def test_a_worker_that_is_ready_without_a_word_on_what_it_ran_is_lost(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit()
    sends = farm.say(worker, Ready("python", 0.004))
    assert only(sends, Refused)
    assert only(sends, StopWorker)


def test_a_worker_cannot_speak_for_what_it_was_not_leased() -> None:
    farm = Farm(min_workers=2)
    farm.gateway()
    workers = farm.workers(farm.host())
    (lease,) = [send for send in farm.submit() if isinstance(send.message, Lease)]
    liar = next(worker for worker in workers if worker != lease.peer)
    assert farm.say(liar, Output("e1", Stream.STDOUT), b"forged") == []
    assert only(farm.finish(liar, "e1", ready=False), Finished) == []
    assert farm.machine.figures.dropped["not_leased"] == 2


def test_a_gateway_cannot_speak_for_anothers_execution(farm: Farm) -> None:
    farm.worker()
    farm.gateway(b"other")
    farm.submit()
    messages: list[Message] = [Cancel("e1", ""), Credit("e1", 1), Signal("e1", 9)]
    messages += [Stdin("e1"), StdinClose("e1")]
    for message in messages:
        assert farm.say(b"other", message) == []
    assert farm.machine.figures.dropped["not_owned"] == len(messages)


@pytest.mark.parametrize("message", [Welcome("x"), Lease("e", "c", True, 1, False), Arm("c")])
def test_a_message_that_its_sender_may_not_send_is_dropped(farm: Farm, message: Message) -> None:
    worker = farm.worker()
    for peer in (worker, b"host", b"gateway"):
        assert farm.say(peer, message) == []
    assert farm.machine.figures.dropped["misplaced"] == 3


def test_a_draining_hosts_workers_leave_and_are_replaced_elsewhere() -> None:
    farm = Farm(min_workers=2)
    farm.gateway()
    workers = farm.workers(farm.host(b"a", slots=2))
    (lease,) = [send for send in farm.submit() if isinstance(send.message, Lease)]
    farm.host(b"b")
    sends = farm.host(b"a", draining=True)
    idle = next(worker for worker in workers if worker != lease.peer)
    assert [send.peer for send in sends if isinstance(send.message, Retire)] == [idle]
    sends = farm.finish(lease.peer, "e1", ready=False)
    assert [send.peer for send in sends if isinstance(send.message, Retire)] == [lease.peer]
    assert view(farm).workers[0].host == "a"
    assert {send.peer for send in farm.wait(0.5) if isinstance(send.message, StartWorker)} <= {b"b"}


def test_a_lost_hosts_idle_workers_are_let_go_and_busy_ones_finish() -> None:
    farm = Farm(min_workers=2)
    farm.gateway()
    farm.workers(farm.host())
    (lease,) = [send for send in farm.submit() if isinstance(send.message, Lease)]
    assert len(only(farm.say(b"host", Goodbye("gone")), Retire)) == 1
    assert only(farm.finish(lease.peer, "e1", ready=False), Finished)
    assert view(farm).workers == ()


def test_a_peak_is_remembered_and_then_the_pool_shrinks(farm: Farm) -> None:
    workers = [farm.worker()]
    for _ in range(8):
        farm.submit(tenant="t", wall_limit_s=100.0)
    workers += farm.workers(farm.wait(0.5))
    assert len(workers) == 4
    running = {f"e{number}" for number in range(1, 9)}
    sends = []
    for _ in range(4):
        for worker_view in view(farm).workers:
            if worker_view.execution_id in running:
                running.discard(worker_view.execution_id)
                sends += farm.finish(worker_view.worker_id.encode(), worker_view.execution_id)
    assert not running
    assert not only(farm.wait(8.0), Retire)
    sends = farm.wait(60.0)
    assert len(only(sends, Retire)) == 3
    # Nobody told of their end: they are stopped.
    assert len(only(sends, StopWorker)) == 3


def test_idle_workers_are_armed_for_what_is_asked_for(farm: Farm) -> None:
    farm = Farm(min_workers=4)
    farm.gateway()
    workers = farm.workers(farm.host())
    assert len(workers) == 4
    for number in range(1, 60):
        (lease,) = [s for s in farm.submit(language="c") if isinstance(s.message, Lease)]
        farm.wait(0.05)
        farm.finish(lease.peer, f"e{number}", ready=False)
        farm.say(lease.peer, Ready("c", 0.004))
        for send in farm.wait(0.2):
            if isinstance(send.message, Arm):
                farm.say(send.peer, Ready(send.message.language, 0.004))
    armed = [worker.language for worker in view(farm).workers]
    assert armed.count("c") == 4


def test_a_cold_lease_takes_the_language_with_most_to_spare() -> None:
    farm = Farm(min_workers=3)
    farm.gateway()
    farm.workers(farm.host())
    (lease,) = [send for send in farm.submit(language="c") if isinstance(send.message, Lease)]
    (cold,) = [send for send in farm.submit(language="c") if isinstance(send.message, Lease)]
    assert lease.peer != cold.peer
    figures = farm.machine.figures.languages["c"]
    assert (figures.warm, figures.cold) == (1, 1)


def _two_armed_and_one_that_arms() -> tuple[Farm, bytes]:
    """Two workers armed for python are idle; the returned one has run C and arms for it."""
    farm = Farm(min_workers=3)
    farm.gateway()
    farm.workers(farm.host())
    (lease,) = [send for send in farm.submit(language="c") if isinstance(send.message, Lease)]
    farm.finish(lease.peer, "e1", ready=False)
    assert farm.machine.figures.languages["c"].warm == 1
    return farm, lease.peer


def test_a_request_waits_for_a_worker_that_arms_for_it_rather_than_take_another_s() -> None:
    farm, arming = _two_armed_and_one_that_arms()
    assert leased(farm.submit(language="c")) == []
    assert leased(farm.say(arming, Ready("c", 0.004))) == ["e2"]
    assert farm.machine.figures.languages["c"].cold == 0


def test_more_requests_than_workers_that_arm_for_them_take_others() -> None:
    farm, _ = _two_armed_and_one_that_arms()
    assert leased(farm.submit(language="c")) == []
    assert leased(farm.submit(language="c")) == ["e2"]


def test_a_request_does_not_wait_long_for_a_worker_that_arms() -> None:
    farm, _ = _two_armed_and_one_that_arms()
    assert leased(farm.submit(language="c")) == []
    assert leased(farm.wait(0.09)) == []
    assert leased(farm.wait(0.1)) == ["e2"]


@pytest.mark.parametrize("last_words", [True, False])
def test_a_request_does_not_wait_for_a_lost_worker(last_words: bool) -> None:
    farm, arming = _two_armed_and_one_that_arms()
    assert leased(farm.submit(language="c")) == []
    if last_words:
        assert leased(farm.say(arming, Goodbye("retired"))) == ["e2"]
    else:
        gone = WorkerExited(arming.decode(), "signal 9")
        assert leased(farm.say(b"host", gone)) == ["e2"]


def test_a_watcher_hears_of_changes_at_most_ten_times_a_second(farm: Farm) -> None:
    worker = farm.worker()
    farm.say(b"gateway", WatchFarm(True))
    heard = 0
    for number in range(1, 101):
        farm.submit()
        heard += len(only(farm.wait(0.005), FarmState))
        farm.finish(worker, f"e{number}")
        heard += len(only(farm.wait(0.005), FarmState))
    assert 5 <= heard <= 11


def test_the_farm_is_told_whole(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit(tenant="a")
    farm.submit(language="c")
    farm.now += 1.5
    (state,) = farm.say(b"gateway", WatchFarm(True))
    told = unpack_farm(state.payload)
    (worker_view,) = told.workers
    assert worker_view.worker_id == worker.decode()
    assert (worker_view.execution_id, worker_view.tenant) == ("e1", "a")
    assert worker_view.state_age_s == 1.5
    assert worker_view.story == ("IDLE>BUSY leased 1.500s ago",)
    depths = {queue.language: (queue.depth, queue.oldest_wait_s) for queue in told.queues}
    assert depths["c"] == (1, 1.5)


def test_leases_without_anyone_waiting_leave_nothing_behind(farm: Farm) -> None:
    worker = farm.worker()
    for number in range(1, 500):
        assert leased(farm.submit(cache_key=b"", deadline_s=5.0)) == [f"e{number}"]
        farm.finish(worker, f"e{number}")
    assert farm.machine.leftovers() == {}
