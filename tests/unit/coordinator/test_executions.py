"""What becomes of requests: message in, messages out."""

from __future__ import annotations

from tests.unit.coordinator.conftest import Farm, leased, only

from dcodex_shared.errors import Reason
from dcodex_shared.limits import MAX_OUTPUT_BYTES, STDIN_WINDOW_BYTES
from dcodex_shared.messages import (
    Cancel,
    Credit,
    Finished,
    Goodbye,
    Lease,
    Output,
    Queued,
    Refused,
    Signal,
    Started,
    Stdin,
    StdinClose,
    StopWorker,
    Stream,
    Verdict,
)
from dcodex_shared.program import pack_records, unpack_records


def test_an_idle_worker_is_leased_at_once_with_the_program_untouched(farm: Farm) -> None:
    worker = farm.worker()
    (send,) = farm.submit(program=b"the program")
    assert (send.peer, send.payload) == (worker, b"the program")
    assert isinstance(send.message, Lease)


def test_a_streaming_request_hears_of_its_start_and_a_unary_one_does_not(farm: Farm) -> None:
    worker = farm.worker()
    sends = farm.submit(streaming=True)
    assert only(sends, Started) == [Started("e1", worker.decode(), 0.0, True)]
    assert only(sends, Queued) == []


def test_a_worker_is_told_how_large_a_piece_may_be_and_lost_when_it_sends_a_larger_one(
    farm: Farm,
) -> None:
    worker = farm.worker()
    sends = farm.submit(streaming=True, window_bytes=1 << 30, piece_bytes=1 << 30)
    most = only(sends, Lease)[0].piece_bytes
    assert most == MAX_OUTPUT_BYTES
    assert farm.submit(piece_bytes=0) == []
    output = Output("e1", Stream.STDOUT)
    assert only(farm.say(worker, output, b"x" * most), Output) == [output]
    sends = farm.say(worker, output, b"x" * (most + 1))
    assert only(sends, Output) == []
    assert only(sends, Refused)[0].reason == Reason.UNAVAILABLE


def test_a_waiting_streaming_request_hears_its_position(farm: Farm) -> None:
    farm.worker()
    farm.submit()
    farm.submit()
    assert only(farm.submit(streaming=True), Queued) == [Queued("e3", 1)]


def test_a_request_for_what_nobody_runs_is_refused(farm: Farm) -> None:
    farm.worker()
    (refused,) = only(farm.submit(language="cobol"), Refused)
    assert refused.reason == Reason.UNAVAILABLE


def test_a_full_queue_refuses_at_once_and_says_when_to_come_back() -> None:
    farm = Farm(max_queued=2)
    farm.worker()
    for _ in range(3):
        assert not only(farm.submit(), Refused)
    (refused,) = only(farm.submit(), Refused)
    assert refused.reason == Reason.RESOURCE_EXHAUSTED
    assert refused.retry_after_s > 0


def test_one_tenant_cannot_fill_the_queue_of_all() -> None:
    farm = Farm(max_queued_per_tenant=1)
    farm.worker()
    farm.submit()
    farm.submit(tenant="greedy")
    assert only(farm.submit(tenant="greedy"), Refused)
    assert not only(farm.submit(tenant="modest"), Refused)


def test_a_deadline_that_passes_in_the_queue_is_told(farm: Farm) -> None:
    farm.worker()
    farm.submit()
    farm.submit(deadline_s=0.3)
    assert not only(farm.wait(0.2), Refused)
    (refused,) = only(farm.wait(0.2), Refused)
    assert (refused.execution_id, refused.reason) == ("e2", Reason.DEADLINE_EXCEEDED)


def test_a_deadline_that_passes_while_it_runs_kills_the_program(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit(deadline_s=0.3)
    sends = farm.wait(0.4)
    assert only(sends, Refused)[0].reason == Reason.DEADLINE_EXCEEDED
    assert [send.peer for send in sends if isinstance(send.message, Cancel)] == [worker]
    assert only(farm.finish(worker, "e1", Verdict.CANCELLED), Finished) == []


def test_a_deadline_that_the_queue_cannot_meet_is_refused_early() -> None:
    farm = Farm(max_workers=1)
    worker = farm.worker()
    for _ in range(3):
        farm.submit()
    for number in range(1, 3):
        farm.now += 3.0
        farm.finish(worker, f"e{number}")
    for _ in range(20):
        farm.submit()
    (refused,) = only(farm.submit(deadline_s=0.5), Refused)
    assert refused.reason == Reason.DEADLINE_EXCEEDED


def test_a_cancelled_request_leaves_the_queue_and_is_told_so(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit()
    farm.submit()
    (end,) = only(farm.say(b"gateway", Cancel("e2", "bored")), Finished)
    assert (end.verdict, end.exit_code) == (Verdict.CANCELLED, -1)
    assert leased(farm.finish(worker, "e1")) == []


def test_a_cancelled_program_that_does_not_end_costs_its_worker(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit()
    farm.say(b"gateway", Cancel("e1", "bored"))
    sends = farm.wait(6.0)
    assert only(sends, StopWorker) == [StopWorker(worker.decode())]
    assert only(sends, Refused)[0].reason == Reason.CANCELLED


def test_a_program_that_outlives_every_limit_costs_its_worker(farm: Farm) -> None:
    farm.worker()
    farm.submit(wall_limit_s=1.0)
    assert not only(farm.wait(50.0), StopWorker)
    sends = farm.wait(2.0)
    assert only(sends, StopWorker)
    assert only(sends, Refused)[0].reason == Reason.UNAVAILABLE


def test_stdin_and_signals_wait_for_the_lease_in_order(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit()
    farm.submit(streaming=True)
    farm.say(b"gateway", Stdin("e2"), b"one")
    farm.say(b"gateway", Signal("e2", 10))
    farm.say(b"gateway", StdinClose("e2"))
    sends = [send for send in farm.finish(worker, "e1") if send.peer == worker]
    assert [type(send.message) for send in sends] == [Lease, Stdin, Signal, StdinClose]
    assert sends[1].payload == b"one"


def test_stdin_beyond_its_window_ends_the_request(farm: Farm) -> None:
    farm.worker()
    farm.submit(streaming=True)
    farm.say(b"gateway", Stdin("e1"), b"x" * STDIN_WINDOW_BYTES)
    sends = farm.say(b"gateway", Stdin("e1"), b"x")
    assert only(sends, Refused)[0].reason == Reason.INTERNAL
    assert only(sends, Cancel)


def test_output_beyond_its_window_costs_the_worker(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit(streaming=True, window_bytes=10)
    assert only(farm.say(worker, Output("e1", Stream.STDOUT), b"x" * 10), Output)
    farm.say(b"gateway", Credit("e1", 4))
    assert only(farm.say(worker, Output("e1", Stream.STDOUT), b"x" * 4), Output)
    sends = farm.say(worker, Output("e1", Stream.STDOUT), b"x")
    assert only(sends, StopWorker)
    assert only(sends, Refused)


def test_credit_widens_a_window_as_far_as_the_request_says(farm: Farm) -> None:
    worker = farm.worker()
    sends = farm.submit(streaming=True, window_bytes=10, widest_window_bytes=14)
    assert only(sends, Lease)[0].widest_window_bytes == 14
    assert only(farm.say(b"gateway", Credit("e1", 3)), Credit) == [Credit("e1", 3)]
    assert only(farm.say(b"gateway", Credit("e1", 9)), Credit) == [Credit("e1", 1)]
    assert farm.say(b"gateway", Credit("e1", 1)) == []
    assert only(farm.say(worker, Output("e1", Stream.STDOUT), b"x" * 14), Output)
    assert only(farm.say(b"gateway", Credit("e1", 99)), Credit) == [Credit("e1", 14)]
    assert only(farm.say(worker, Output("e1", Stream.STDOUT), b"x" * 14), Output)
    assert only(farm.say(worker, Output("e1", Stream.STDOUT), b"x"), StopWorker)


def test_an_execution_id_runs_once_whatever_is_sent_twice(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit()
    assert farm.submit(execution_id="e1") == []
    farm.finish(worker, "e1")
    assert farm.submit(execution_id="e1") == []


def test_a_lost_gateways_requests_are_dropped_and_its_program_killed(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit()
    farm.submit()
    sends = farm.say(b"gateway", Goodbye("done"))
    assert [type(send.message) for send in sends] == [Cancel]
    assert leased(farm.finish(worker, "e1", Verdict.CANCELLED)) == []
    assert farm.machine.leftovers() == {}


def test_what_nobody_can_run_any_more_is_refused_after_a_while(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit(language="python")
    farm.submit(language="c")
    farm.host(languages=(("python", "3.11"),))
    assert leased(farm.finish(worker, "e1")) == []
    assert not only(farm.wait(29.0), Refused)
    (refused,) = only(farm.wait(3.0), Refused)
    assert (refused.execution_id, refused.reason) == ("e2", Reason.UNAVAILABLE)


def test_a_drain_refuses_what_waits_and_what_is_new_and_lets_run_what_runs(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit()
    farm.submit()
    assert [r.execution_id for r in only(farm.machine.drain(farm.now), Refused)] == ["e2"]
    assert only(farm.submit(), Refused)[0].reason == Reason.UNAVAILABLE
    assert not farm.machine.is_quiet()
    assert only(farm.finish(worker, "e1"), Finished)
    assert farm.machine.is_quiet()


# --- the cache -------------------------------------------------------------------------------


def test_only_an_ok_result_is_answered_again(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit(cache_key=b"k")
    farm.finish(worker, "e1", Verdict.NONZERO_EXIT)
    assert leased(farm.submit(cache_key=b"k")) == ["e2"]
    farm.finish(worker, "e2", payload=pack_records([(1, b"out")]))
    (send,) = farm.submit(cache_key=b"k")
    assert isinstance(send.message, Finished)
    assert send.message.cache_hit
    assert unpack_records(send.payload) == [(Stream.STDOUT, b"out")]
    assert (farm.machine.figures.cache_hits, farm.machine.figures.cache_misses) == (1, 2)


def test_a_result_is_forgotten_after_its_time(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit(cache_key=b"k")
    farm.finish(worker, "e1")
    farm.wait(61.0)
    assert leased(farm.submit(cache_key=b"k")) == ["e2"]


def test_waiting_tenants_are_served_by_the_weights_that_their_requests_bring() -> None:
    farm = Farm(max_workers=1)
    worker = farm.worker()
    (running,) = leased(farm.submit(tenant="first"))
    tenant_of = {}
    for number in range(2, 42):
        tenant, weight = ("heavy", 3.0) if number % 2 else ("light", 1.0)
        farm.submit(tenant=tenant, tenant_weight=weight)
        tenant_of[f"e{number}"] = tenant
    served = []
    for _ in range(20):
        farm.now += 0.1
        (running,) = leased(farm.finish(worker, running))
        served.append(tenant_of[running])
    assert 14 <= served.count("heavy") <= 16


def test_tenants_share_results_only_where_the_operator_says_so() -> None:
    for shared in (False, True):
        farm = Farm(cache_shared=shared)
        worker = farm.worker()
        farm.submit(cache_key=b"k", tenant="a")
        farm.finish(worker, "e1")
        sends = farm.submit(cache_key=b"k", tenant="b")
        assert bool(only(sends, Finished)) == shared


def test_identical_requests_run_once(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit(cache_key=b"k")
    for _ in range(3):
        assert farm.submit(cache_key=b"k") == []
    ends = only(farm.finish(worker, "e1"), Finished)
    assert [(end.execution_id, end.cache_hit) for end in ends] == [
        ("e1", False),
        ("e2", True),
        ("e3", True),
        ("e4", True),
    ]


def test_when_the_first_of_identical_requests_fails_the_next_runs(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit(cache_key=b"k")
    farm.submit(cache_key=b"k")
    farm.submit(cache_key=b"k")
    assert leased(farm.finish(worker, "e1", Verdict.NONZERO_EXIT)) == ["e2"]
    ends = only(farm.finish(worker, "e2"), Finished)
    assert [end.execution_id for end in ends] == ["e2", "e3"]


def test_a_follower_that_is_cancelled_leaves_the_others_alone(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit(cache_key=b"k")
    farm.submit(cache_key=b"k")
    farm.submit(cache_key=b"k")
    farm.say(b"gateway", Cancel("e2", "bored"))
    ends = only(farm.finish(worker, "e1"), Finished)
    assert [end.execution_id for end in ends] == ["e1", "e3"]


def test_a_result_larger_than_the_window_is_replayed_as_the_reader_reads(farm: Farm) -> None:
    worker = farm.worker()
    records = [(1, b"a" * 30), (2, b"b" * 30)]
    farm.submit(cache_key=b"k")
    farm.finish(worker, "e1", payload=pack_records(records))
    sends = farm.submit(cache_key=b"k", streaming=True, window_bytes=40)
    assert [(s.message.stream, s.payload) for s in sends if isinstance(s.message, Output)] == [
        (1, b"a" * 30),
        (2, b"b" * 10),
    ]
    assert not only(sends, Finished)
    sends = farm.say(b"gateway", Credit("e2", 15))
    assert [send.payload for send in sends] == [b"b" * 15]
    sends = farm.say(b"gateway", Credit("e2", 25))
    assert [type(send.message) for send in sends] == [Output, Finished]
    assert farm.machine.leftovers() == {}


# --- a caller's own execution id -------------------------------------------------------------


def test_a_retry_attaches_to_the_running_execution_and_gets_its_result(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit(client_key="mine")
    assert farm.submit(client_key="mine") == []
    ends = only(farm.finish(worker, "e1", Verdict.NONZERO_EXIT), Finished)
    assert [(end.execution_id, end.verdict) for end in ends] == [
        ("e1", Verdict.NONZERO_EXIT),
        ("e2", Verdict.NONZERO_EXIT),
    ]
    assert only(farm.submit(client_key="mine"), Finished)[0].verdict == Verdict.NONZERO_EXIT


def test_a_retry_after_a_cancelled_run_runs(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit(client_key="mine")
    farm.say(b"gateway", Cancel("e1", "connection lost"))
    farm.submit(client_key="mine")
    assert leased(farm.finish(worker, "e1", Verdict.CANCELLED)) == ["e2"]


def test_one_execution_id_cannot_mean_two_programs(farm: Farm) -> None:
    worker = farm.worker()
    farm.submit(client_key="mine", program=b"one")
    (refused,) = only(farm.submit(client_key="mine", program=b"two"), Refused)
    assert refused.reason == Reason.ALREADY_EXISTS
    farm.finish(worker, "e1")
    assert only(farm.submit(client_key="mine", program=b"two"), Refused)
    assert leased(farm.submit(client_key="mine", program=b"two", tenant="other")) == ["e4"]
