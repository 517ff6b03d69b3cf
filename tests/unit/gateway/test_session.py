"""The acquaintance with the coordinator, second by second."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from dcodex_gateway.session import RECONNECT_S, REGREET_S, Session, State, Step
from dcodex_shared.messages import HEARTBEAT_S, LOST_S, Goodbye, Heartbeat, Welcome


def met(now: float = 0.0) -> Session:
    session = Session()
    assert session.connected(now) is Step.GREET
    assert session.receive(Welcome("boot-1"), now) is Step.UP
    return session


def test_a_connection_is_greeted_and_a_welcome_makes_it_up() -> None:
    assert met().state is State.UP


def test_nothing_is_due_before_there_is_a_connection() -> None:
    session = Session()
    assert session.next_deadline() is None
    assert session.expire(1e9) is None


def test_it_beats_whenever_it_has_said_nothing_for_a_while() -> None:
    session = met()
    assert session.next_deadline() == HEARTBEAT_S
    assert session.expire(HEARTBEAT_S - 0.01) is None
    assert session.expire(HEARTBEAT_S) is Step.BEAT
    session.sent(HEARTBEAT_S)
    assert session.expire(HEARTBEAT_S * 1.5) is None


def test_any_message_shows_that_the_coordinator_lives() -> None:
    session = met()
    session.sent(LOST_S)
    session.receive(Heartbeat(), LOST_S - 1)
    assert session.expire(LOST_S) is None
    assert session.state is State.UP


@pytest.mark.parametrize("end", [Session.disconnected, Session.refused])
def test_a_connection_that_never_stood_is_tried_again_after_the_long_pause(
    end: Callable[[Session, float], Step | None],
) -> None:
    session = Session()
    assert end(session, 5.0) is Step.LOST
    assert not session.stood
    assert end(session, 5.0) is None
    assert session.expire(5.0 + RECONNECT_S) is None
    assert session.expire(5.0 + REGREET_S) is Step.REOPEN


@pytest.mark.parametrize("greeted", [False, True])
def test_silence_loses_it_before_and_after_the_welcome(greeted: bool) -> None:
    session = met() if greeted else Session()
    session.connected(0.0)
    assert session.expire(LOST_S) is Step.LOST
    assert session.state is State.DOWN
    assert session.next_deadline() == LOST_S + REGREET_S


def test_a_lost_coordinator_is_tried_again_after_a_pause() -> None:
    session = met()
    assert session.disconnected(5.0) is Step.LOST
    assert session.stood
    assert session.expire(5.0) is None
    assert session.expire(5.0 + RECONNECT_S) is Step.REOPEN
    assert session.state is State.CONNECTING
    assert session.connected(6.0) is Step.GREET
    assert session.receive(Welcome("boot-2"), 6.0) is Step.UP
    assert session.boot_id == "boot-2"


def test_a_goodbye_loses_it_and_its_reason_is_kept() -> None:
    session = met()
    assert session.receive(Goodbye("another version"), 1.0) is Step.LOST
    assert "another version" in session.reason


def test_a_second_welcome_of_the_same_coordinator_means_nothing() -> None:
    session = met()
    assert session.receive(Welcome("boot-1"), 1.0) is None
    assert session.state is State.UP


def test_a_welcome_of_another_coordinator_loses_what_the_first_was_told() -> None:
    session = met()
    assert session.receive(Welcome("boot-2"), 1.0) is Step.LOST


def test_a_coordinator_that_takes_no_messages_is_lost() -> None:
    assert met().stuck(1.0) is Step.LOST


def test_a_connection_that_cannot_even_be_tried_is_tried_again() -> None:
    session = Session()
    assert session.unable("too many open files", 1.0) is Step.LOST
    assert "too many open files" in session.reason
    assert session.expire(1.0 + REGREET_S) is Step.REOPEN


def test_it_is_lost_only_once() -> None:
    session = met()
    assert session.disconnected(1.0) is Step.LOST
    assert session.disconnected(1.0) is None
    assert session.receive(Goodbye("late"), 1.0) is None
    assert session.stuck(1.0) is None


EVENTS = ("connected", "disconnected", "stuck", "welcome", "other", "goodbye", "expire")


def test_whatever_happens_it_can_always_come_up_again() -> None:
    for events in itertools.product(EVENTS, repeat=4):
        session, now = Session(), 0.0
        for event in events:
            now += 0.7
            happen(session, event, now)
        now += 100.0
        for _ in range(3):
            session.expire(now)
            now += 2 * REGREET_S
        session.connected(now)
        session.receive(Welcome("boot-3"), now)
        assert session.state is State.UP, events


def happen(session: Session, event: str, now: float) -> None:
    match event:
        case "welcome":
            session.receive(Welcome("boot-1"), now)
        case "other":
            session.receive(Welcome("boot-2"), now)
        case "goodbye":
            session.receive(Goodbye(""), now)
        case name:
            getattr(session, name)(now)
