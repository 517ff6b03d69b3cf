"""The promises of the fair queue, each as a property."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_coordinator.fair_queue import (
    BATCH_TURN,
    LEAST_TENANT_WEIGHT,
    MOST_TENANT_WEIGHT,
    WARM_SLACK_S,
    WARM_SLACK_SHARE,
    FairQueue,
    Waiting,
)
from dcodex_shared.messages import Priority

LANGUAGES = ("c", "cpp", "python")


def anything(_: str) -> bool:
    return True


def request(
    number: int,
    language: str = "python",
    tenant: str = "t",
    priority: int = Priority.INTERACTIVE,
    weight: float = 1.0,
) -> Waiting[int]:
    return Waiting(number, language, tenant, priority, float(number), weight)


def pop(queue: FairQueue[int], armed: tuple[str, ...] = ()) -> Waiting[int]:
    waiting = queue.pop(anything, armed)
    assert waiting is not None
    return waiting


requests = st.tuples(
    st.sampled_from(LANGUAGES), st.sampled_from("abc"), st.sampled_from(list(Priority))
)
#: Push a request, pop one (and settle it for this cost), or remove one that waits.
operations = st.lists(
    st.one_of(
        st.tuples(st.just("push"), requests),
        st.tuples(st.just("pop"), st.floats(0.0, 10.0), st.sampled_from(LANGUAGES)),
        st.tuples(st.just("remove"), st.integers(0)),
    ),
    max_size=100,
)


@given(operations)
def test_whatever_is_pushed_is_popped_or_removed_once_in_order(
    steps: list[Any],
) -> None:
    queue: FairQueue[int] = FairQueue({})
    waiting: dict[int, Waiting[int]] = {}
    for number, step in enumerate(steps):
        match step:
            case ("push", (language, tenant, priority)):
                one = request(number, language, tenant, int(priority))
                queue.push(one)
                waiting[number] = one
            case ("pop", cost_s, armed):
                popped = queue.pop(anything, (armed,))
                assert (popped is None) == (not waiting)
                if popped is not None:
                    del waiting[popped.item]
                    line = (popped.language, popped.tenant, popped.priority)
                    assert all(
                        other.item > popped.item
                        for other in waiting.values()
                        if (other.language, other.tenant, other.priority) == line
                    )
                    queue.settle(popped, float(cost_s))
            case ("remove", index) if waiting:
                victim = list(waiting.values())[int(index) % len(waiting)]
                queue.remove(victim)
                del waiting[victim.item]
        assert len(queue) == len(waiting)
        queue.check()


@given(
    st.fixed_dictionaries({name: st.floats(0.25, 4.0) for name in LANGUAGES}),
    st.lists(
        st.fixed_dictionaries({name: st.floats(0.001, 1.0) for name in LANGUAGES}),
        min_size=1,
        max_size=60,
    ),
    st.booleans(),
)
def test_a_backlogged_language_gets_its_share_less_the_stated_bound(
    weights: dict[str, float], costs: list[dict[str, float]], sticky: bool
) -> None:
    queue: FairQueue[int] = FairQueue(weights)
    for number in range(len(costs)):
        for language in LANGUAGES:
            queue.push(request(number, language))
    served = dict.fromkeys(LANGUAGES, 0.0)
    largest = dict.fromkeys(LANGUAGES, 0.0)
    passed = dict.fromkeys(LANGUAGES, 0.0)
    armed: tuple[str, ...] = ()
    for cost in costs:
        mean_s = {name: queue.cost_of(name) for name in LANGUAGES}
        one = pop(queue, armed)
        cost_s = cost[one.language]
        queue.settle(one, cost_s)
        served[one.language] += cost_s
        largest[one.language] = max(largest[one.language], cost_s)
        if sticky:
            slack = min(WARM_SLACK_S, WARM_SLACK_SHARE * mean_s[one.language])
            passed[one.language] = max(passed[one.language], slack)
            armed = (one.language,)
        total = sum(served.values())
        for name in LANGUAGES:
            share = weights[name] / sum(weights.values())
            others = sum(largest[m] + passed[m] for m in LANGUAGES if m != name)
            assert served[name] >= share * (total - others) - 1e-9


@given(
    st.lists(st.floats(0.001, 1.0), min_size=3, max_size=60),
    st.lists(st.just(1.0) | st.floats(0.25, 4.0), min_size=2, max_size=5),
)
def test_a_backlogged_tenant_gets_its_share_of_its_language_less_the_stated_bound(
    costs: list[float], weights: list[float]
) -> None:
    queue: FairQueue[int] = FairQueue({})
    names = {f"t{number}": weight for number, weight in enumerate(weights)}
    for number in range(len(costs)):
        for name, weight in names.items():
            queue.push(request(number, tenant=name, weight=weight))
    served: dict[str, float] = defaultdict(float)
    largest: dict[str, float] = defaultdict(float)
    for cost_s in costs:
        one = pop(queue)
        queue.settle(one, cost_s)
        served[one.tenant] += cost_s
        largest[one.tenant] = max(largest[one.tenant], cost_s)
        total = sum(served.values())
        for name, weight in names.items():
            others = sum(largest[m] for m in names if m != name)
            assert served[name] >= weight / sum(weights) * (total - others) - 1e-9


def shares(queue: FairQueue[int], turns: int) -> dict[str, int]:
    """How many of so many turns, of one second each, every tenant gets."""
    counts: dict[str, int] = defaultdict(int)
    for _ in range(turns):
        one = pop(queue)
        queue.settle(one, 1.0)
        counts[one.tenant] += 1
    return counts


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (0.0, LEAST_TENANT_WEIGHT),
        (-5.0, LEAST_TENANT_WEIGHT),
        (1e-300, LEAST_TENANT_WEIGHT),
        (float("nan"), LEAST_TENANT_WEIGHT),
        (1e300, MOST_TENANT_WEIGHT),
        (2.5, 2.5),
    ],
)
def test_a_tenants_weight_is_brought_into_its_bounds(asked: float, given: float) -> None:
    assert request(1, weight=asked).weight == given


def test_the_heaviest_tenant_does_not_starve_one_of_usual_weight() -> None:
    queue: FairQueue[int] = FairQueue({})
    for number in range(3000):
        queue.push(request(number, tenant="heavy", weight=1e300))
        queue.push(request(number, tenant="usual"))
    # At the start, and then once in MOST_TENANT_WEIGHT turns.
    assert shares(queue, int(2.1 * MOST_TENANT_WEIGHT))["usual"] == 3


def test_a_tenants_weight_counts_against_no_other_language() -> None:
    queue: FairQueue[int] = FairQueue({})
    for number in range(100):
        queue.push(request(number, "cpp", tenant="heavy", weight=1000.0))
        queue.push(request(number, "python", tenant="light", weight=0.001))
    assert shares(queue, 40)["light"] == pytest.approx(20, abs=1)


def test_a_new_weight_counts_from_the_request_that_brings_it() -> None:
    queue: FairQueue[int] = FairQueue({})
    for number in range(100):
        queue.push(request(number, tenant="same"))
        queue.push(request(number, tenant="raised", weight=1.0 if number < 20 else 4.0))
    assert shares(queue, 40)["raised"] == pytest.approx(20, abs=1)
    assert shares(queue, 50)["raised"] == pytest.approx(40, abs=1)


def test_a_request_is_settled_by_the_weight_that_it_was_charged_by() -> None:
    queue: FairQueue[int] = FairQueue({})
    for number in range(100):
        queue.push(request(number, tenant="same"))
        queue.push(request(number, tenant="raised", weight=0.25 if number < 1 else 1.0))
    early = [pop(queue), pop(queue)]
    assert {one.tenant for one in early} == {"same", "raised"}
    for one in early:
        # What was served at a quarter of the weight is owed four times.
        queue.settle(one, 1.0)
    assert shares(queue, 40)["same"] == pytest.approx(20 + 1.5, abs=1)


def test_a_new_language_is_served_next_behind_ten_thousand_of_another() -> None:
    queue: FairQueue[int] = FairQueue({})
    for number in range(10_000):
        queue.push(request(number, "cpp"))
    for _ in range(100):
        queue.settle(pop(queue), 0.3)
    queue.push(request(0, "python"))
    assert pop(queue, ("cpp",)).language == "python"


def test_a_new_tenant_is_served_next_behind_ten_thousand_of_another() -> None:
    queue: FairQueue[int] = FairQueue({})
    for number in range(10_000):
        queue.push(request(number, tenant="flood"))
    for _ in range(100):
        queue.settle(pop(queue), 0.3)
    queue.push(request(0, tenant="quiet"))
    assert "quiet" in (pop(queue).tenant, pop(queue).tenant)


def test_a_tenants_interactive_requests_go_first_and_its_batch_does_not_starve() -> None:
    queue: FairQueue[int] = FairQueue({})
    for number in range(100):
        queue.push(request(number, priority=Priority.BATCH))
        queue.push(request(number, priority=Priority.INTERACTIVE))
    order = [pop(queue).priority for _ in range(2 * BATCH_TURN)]
    assert order.count(Priority.BATCH) == 2
    assert order[0] is Priority.INTERACTIVE


def test_a_language_that_nobody_can_run_holds_up_no_other() -> None:
    queue: FairQueue[int] = FairQueue({})
    queue.push(request(1, "cpp"))
    queue.push(request(2, "python"))
    popped = queue.pop(lambda language: language == "python", ())
    assert popped is not None
    assert popped.item == 2
    assert queue.pop(lambda language: language == "python", ()) is None


def test_a_language_slightly_ahead_goes_first_where_a_worker_is_armed_for_it() -> None:
    queue: FairQueue[int] = FairQueue({})
    for number in range(10):
        queue.push(request(number, "c"))
        queue.push(request(number, "python"))
    first = pop(queue, ("python",))
    assert first.language == "python"
    queue.settle(first, 0.01)
    # 10 ms ahead of c: within half of what a request is thought to cost.
    assert pop(queue, ("python",)).language == "python"
    assert pop(queue, ("python",)).language == "c"


def test_idle_time_earns_no_claim() -> None:
    queue: FairQueue[int] = FairQueue({})
    for number in range(100):
        queue.push(request(number, "cpp"))
    for _ in range(50):
        queue.settle(pop(queue), 1.0)
    for number in range(100):
        queue.push(request(number, "python"))
    turns = []
    for _ in range(20):
        one = pop(queue)
        queue.settle(one, 1.0)
        turns.append(one.language)
    assert turns.count("python") == pytest.approx(10, abs=1)


def test_tenants_that_came_once_are_forgotten() -> None:
    queue: FairQueue[int] = FairQueue({})
    for number in range(20_000):
        queue.push(request(number, tenant=f"t{number}"))
        queue.settle(pop(queue), 0.01)
    assert queue.flows() < 1000


def test_costs_of_nothing_starve_nobody() -> None:
    queue: FairQueue[int] = FairQueue({})
    for number in range(2000):
        queue.push(request(number, "c"))
    queue.settle(pop(queue), 0.0)
    queue.push(request(0, "python"))
    served = []
    for _ in range(10):
        one = pop(queue)
        queue.settle(one, 0.0)
        served.append(one.language)
    assert "python" in served
