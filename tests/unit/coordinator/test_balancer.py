"""How many workers, and armed for what."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_coordinator.balancer import (
    HEADROOM,
    HIGH_PRESSURE,
    Balancer,
    FarmLoad,
    LanguageLoad,
    mix,
)


def language(
    needed: float = 0.0, depth: int = 0, wait_p99_s: float = 0.0, quiet_s: float = 0.0
) -> LanguageLoad:
    return LanguageLoad(needed, 0.05, depth, wait_p99_s, quiet_s)


def farm(one: LanguageLoad, busy: int = 0, pressure: float = 0.0) -> FarmLoad:
    return FarmLoad({"python": one}, busy, pressure)


def balancer() -> Balancer:
    return Balancer(least=2, most=20, defended_wait_s=0.1, cool_down_s=60.0)


def test_an_idle_farm_has_the_least_number_of_workers() -> None:
    decision = balancer().decide(farm(language()), 0.0)
    assert (decision.desired, decision.reason) == (2, "floor")


def test_a_burst_gets_what_works_it_off_within_the_defended_wait_in_one_decision() -> None:
    decision = balancer().decide(farm(language(depth=20), busy=2), 0.0)
    assert (decision.desired, decision.reason) == (2 + 10, "backlog")


def test_the_pool_never_exceeds_its_ceiling() -> None:
    decision = balancer().decide(farm(language(depth=1000)), 0.0)
    assert (decision.desired, decision.reason) == (20, "ceiling")


def test_a_steady_load_gets_littles_number_and_room_for_chance() -> None:
    decision = balancer().decide(farm(language(needed=4.0)), 0.0)
    assert (decision.desired, decision.reason) == (math.ceil(4 + HEADROOM * 2), "arrivals")


def test_waits_above_the_defended_one_grow_a_busy_pool_step_by_step() -> None:
    made = balancer()
    slow = farm(language(needed=0.1, wait_p99_s=0.5), busy=20)
    sizes = [made.decide(slow, now * 0.25).desired for now in range(12)]
    assert sizes == [3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5]


def test_under_pressure_the_pool_grows_by_half_at_a_time() -> None:
    made = balancer()
    load = farm(language(depth=1000, wait_p99_s=0.5), busy=2, pressure=HIGH_PRESSURE)
    sizes = [made.decide(load, now * 0.25).desired for now in range(12)]
    assert sizes == [3, 3, 5, 5, 8, 8, 12, 12, 18, 18, 20, 20]


def test_pressure_does_not_inflate_a_small_need() -> None:
    load = farm(language(needed=0.1), pressure=HIGH_PRESSURE)
    assert balancer().decide(load, 0.0).desired == 2


def test_a_square_wave_shorter_than_the_cool_down_moves_nothing() -> None:
    made = balancer()
    sizes = []
    for now in range(600):
        load = language(needed=4.0) if now % 40 < 20 else language()
        sizes.append(made.decide(farm(load), float(now)).desired)
    assert set(sizes) == {math.ceil(4 + HEADROOM * 2)}


def test_a_pool_shrinks_when_a_whole_cool_down_has_passed_without_need() -> None:
    made = balancer()
    made.decide(farm(language(needed=4.0)), 0.0)
    assert made.decide(farm(language()), 60.0).reason == "cool_down"
    assert made.decide(farm(language()), 60.1).desired == 2


@given(st.lists(st.tuples(st.floats(0.01, 30.0), st.integers(0, 300)), min_size=1))
def test_the_size_is_within_bounds_and_never_below_what_the_cool_down_needed(
    moments: list[tuple[float, int]],
) -> None:
    made = balancer()
    now = 0.0
    needs: list[tuple[float, int]] = []
    for pause_s, depth in moments:
        now += pause_s
        decision = made.decide(farm(language(depth=depth)), now)
        fresh = Balancer(2, 20, 0.1, 60.0).decide(farm(language(depth=depth)), now)
        needs.append((now, fresh.desired))
        assert 2 <= decision.desired <= 20
        assert decision.desired == max(need for at, need in needs if at >= now - 60.0)


loads = st.dictionaries(
    st.sampled_from(["c", "cpp", "python", "rust"]),
    st.builds(
        LanguageLoad,
        st.floats(0, 10),
        st.floats(0, 1),
        st.integers(0, 50),
        st.just(0.0),
        st.sampled_from([0.0, 1000.0, math.inf]),
    ),
    min_size=1,
)


@given(st.integers(0, 40), loads)
def test_a_mix_adds_up_and_keeps_one_for_each_language_asked_for_lately(
    desired: int, languages: dict[str, LanguageLoad]
) -> None:
    wanted = mix(desired, languages, "python")
    assert sum(wanted.values()) == desired
    lately = [name for name, load in languages.items() if load.quiet_s == 0.0]
    if len(lately) <= desired:
        assert all(wanted[name] >= 1 for name in lately)


def test_before_anything_was_asked_for_every_language_has_one_and_python_the_rest() -> None:
    quiet = language(quiet_s=math.inf)
    assert mix(4, {"c": quiet, "cpp": quiet, "python": quiet}, "python") == {
        "python": 2,
        "c": 1,
        "cpp": 1,
    }
    assert mix(1, {"c": quiet, "cpp": quiet, "python": quiet}, "python")["python"] == 1


def test_a_mix_follows_the_demand() -> None:
    wanted = mix(10, {"c": language(needed=0.1), "python": language(needed=3.0)}, "c")
    assert wanted["python"] >= 7
    assert wanted["c"] >= 2


@pytest.mark.parametrize("desired", [0, 1, 5])
def test_without_languages_there_is_no_mix(desired: int) -> None:
    assert mix(desired, {}, "python") == {}
