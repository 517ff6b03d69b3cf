"""The host's table of workers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dcodex_worker.crew import Ask, Bury, Crew, Fork, Kill


def test_a_worker_is_forked_once_however_often_it_is_ordered() -> None:
    crew = Crew(4)
    assert crew.start("a", "python") == [Fork("a", "python")]
    assert crew.start("a", "python") == []
    assert crew.born("a") == []
    assert crew.start("a", "python") == []


def test_a_full_host_and_a_draining_one_say_so() -> None:
    crew = Crew(1)
    crew.start("a", "python")
    assert crew.start("b", "python") == [Bury("b", "the host is full")]
    crew.drain()
    assert crew.start("c", "python") == [Bury("c", "the host is draining")]
    assert len(crew) == 1


def test_a_worker_is_killed_once_and_buried_with_the_reason_of_its_doom() -> None:
    crew = Crew(4)
    crew.start("a", "python")
    crew.born("a")
    assert crew.stop("a", "lost") == [Kill("a")]
    assert crew.stop("a", "again") == []
    assert crew.died("a", "ended by signal 9") == [Bury("a", "lost")]
    assert len(crew) == 0


def test_a_worker_stopped_before_its_birth_is_killed_at_it() -> None:
    crew = Crew(4)
    crew.start("a", "python")
    assert crew.stop("a", "lost") == []
    assert crew.born("a") == [Kill("a")]


def test_stopping_an_unknown_worker_is_answered() -> None:
    assert Crew(4).stop("x", "lost") == [Bury("x", "no such worker")]


def test_a_slot_is_taken_until_the_death_of_its_worker() -> None:
    crew = Crew(1)
    crew.start("a", "python")
    crew.born("a")
    crew.stop("a", "lost")
    assert crew.start("b", "python") == [Bury("b", "the host is full")]
    crew.died("a", "")
    assert crew.start("b", "python") == [Fork("b", "python")]


def test_only_the_living_are_asked_to_retire_and_all_are_stopped() -> None:
    crew = Crew(4)
    for name in "abc":
        crew.start(name, "python")
    crew.born("a")
    crew.born("b")
    crew.stop("b", "lost")
    assert crew.ask_all() == [Ask("a")]
    assert crew.stop_all("end") == [Kill("a")]
    assert crew.born("c") == [Kill("c")]


@given(st.lists(st.tuples(st.sampled_from(["start", "stop", "drain", "tell"]), st.integers(0, 5))))
def test_every_fork_is_buried_exactly_once_and_the_table_never_overflows(
    steps: list[tuple[str, int]],
) -> None:
    crew = Crew(3)
    unborn: set[str] = set()
    alive: set[str] = set()
    forked: list[str] = []
    buried: list[str] = []

    def perform(commands: list[object]) -> None:
        for command in commands:
            match command:
                case Fork(worker_id=name):
                    assert name not in unborn | alive
                    unborn.add(name)
                    forked.append(name)
                case Kill(worker_id=name):
                    assert name in alive
                    alive.remove(name)
                    perform(list(crew.died(name, "killed")))
                case Bury(worker_id=name, reason=reason):
                    if reason not in ("the host is full", "the host is draining", "no such worker"):
                        buried.append(name)

    for verb, number in steps:
        name = f"w{number}"
        match verb:
            case "start":
                perform(list(crew.start(name, "c")))
            case "stop":
                perform(list(crew.stop(name, "stopped")))
            case "drain":
                crew.drain()
            case _ if unborn:
                name = min(unborn)
                unborn.remove(name)
                alive.add(name)
                perform(list(crew.born(name)))
        assert len(crew) == len(unborn | alive) <= 3
    while unborn:
        name = unborn.pop()
        alive.add(name)
        perform(list(crew.born(name)))
    perform(list(crew.stop_all("end")))
    assert len(crew) == 0
    assert sorted(forked) == sorted(buried)
