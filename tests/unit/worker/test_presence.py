"""The acquaintance with the coordinator."""

from __future__ import annotations

import pytest

from dcodex_shared.messages import (
    HEARTBEAT_S,
    LOST_S,
    PROTOCOL_VERSION,
    Goodbye,
    Heartbeat,
    Welcome,
)
from dcodex_worker.presence import RETRY_S, Presence, State


def met(now: float = 10.0) -> Presence:
    presence = Presence(now)
    assert presence.connected(now)
    presence.heard(Welcome("boot-1"), now)
    assert presence.state is State.MET
    return presence


def test_a_connection_is_greeted_once() -> None:
    presence = Presence(0.0)
    assert presence.connected(1.0)
    assert not presence.connected(2.0)
    assert presence.state is State.GREETED


def test_without_a_connection_nothing_is_ever_lost_or_due() -> None:
    presence = Presence(0.0)
    presence.disconnected()
    presence.expire(1e9)
    assert presence.state is State.AWAY
    assert not presence.wants_beat(1e9)
    assert presence.next_deadline() == float("inf")


def test_a_refused_handshake_is_tried_again_after_a_pause_that_more_refusals_do_not_prolong() -> (
    None
):
    presence = Presence(0.0)
    presence.refused(5.0)
    presence.refused(5.5)
    assert presence.state is State.AWAY
    assert presence.next_deadline() == 5.0 + RETRY_S
    assert not presence.wants_retry(5.0 + RETRY_S - 0.01)
    assert presence.wants_retry(5.0 + RETRY_S)


def test_a_connection_that_stands_after_all_is_not_tried_again() -> None:
    presence = Presence(0.0)
    presence.refused(5.0)
    assert presence.connected(5.5)
    assert not presence.wants_retry(1e9)
    assert presence.next_deadline() == 5.5 + HEARTBEAT_S


def test_a_beat_is_due_when_nothing_else_was_sent() -> None:
    presence = met(10.0)
    assert not presence.wants_beat(10.0 + HEARTBEAT_S - 0.01)
    assert presence.wants_beat(10.0 + HEARTBEAT_S)
    presence.sent(11.5)
    assert not presence.wants_beat(12.0)
    assert presence.next_deadline() == 12.5


def test_silence_loses_the_coordinator_and_any_word_keeps_it() -> None:
    presence = met(10.0)
    presence.heard(Heartbeat(), 15.0)
    presence.expire(15.0 + LOST_S - 0.01)
    assert not presence.reason
    presence.expire(15.0 + LOST_S)
    assert presence.state is State.LOST
    assert "nothing was heard" in presence.reason


def test_a_greeting_without_an_answer_is_lost_too() -> None:
    presence = Presence(0.0)
    presence.connected(1.0)
    presence.expire(1.0 + LOST_S)
    assert presence.state is State.LOST


@pytest.mark.parametrize(
    "message",
    [
        Goodbye("go away"),
        Welcome("boot-2"),
        Welcome("boot-1", version=99),
        Welcome("boot-1", version=PROTOCOL_VERSION + 2),
    ],
)
def test_goodbye_another_coordinator_and_another_version_end_it(message: object) -> None:
    presence = met()
    assert isinstance(message, Goodbye | Welcome)
    presence.heard(message, 11.0)
    assert presence.state is State.LOST


@pytest.mark.parametrize("version", [PROTOCOL_VERSION - 1, PROTOCOL_VERSION + 1])
def test_a_coordinator_one_version_apart_is_met(version: int) -> None:
    presence = Presence(10.0)
    presence.connected(10.0)
    presence.heard(Welcome("boot-1", version), 10.0)
    assert presence.state is State.MET


def test_whoever_was_stopped_itself_does_not_hold_silence_against_the_coordinator() -> None:
    presence = met(10.0)
    presence.resumed(100.0)
    presence.expire(100.0 + LOST_S - 0.01)
    assert presence.state is State.MET


def test_after_it_was_stopped_itself_silence_counts_from_then_on() -> None:
    presence = met(10.0)
    presence.resumed(100.0)
    presence.expire(100.0 + LOST_S)
    assert presence.state is State.LOST


def test_a_broken_connection_ends_it() -> None:
    presence = met()
    presence.disconnected()
    assert presence.state is State.LOST
    assert not presence.connected(12.0)


def test_the_first_reason_stands() -> None:
    presence = met()
    presence.heard(Goodbye("draining"), 11.0)
    presence.disconnected()
    assert presence.reason == "it said goodbye: draining"
