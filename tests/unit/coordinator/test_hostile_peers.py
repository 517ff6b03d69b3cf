"""Whatever anybody says, in whatever order: no exception, and everything still adds up."""

from __future__ import annotations

import typing
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.coordinator.conftest import Farm

from dcodex_shared import messages
from dcodex_shared.messages import Message, Role

#: Few enough values that messages often speak of the same things.
SMALL: dict[Any, st.SearchStrategy[Any]] = {
    int: st.one_of(st.integers(-2, 12), st.just(2**62)),
    float: st.sampled_from([-1.0, 0.0, 0.01, 1.0, 100.0, 1e300]),
    str: st.sampled_from(
        ["", "e1", "e2", "e3", "python", "c", "cobol", "host/b00t1d.1", "x" * 200]
    ),
    bytes: st.sampled_from([b"", b"k"]),
    bool: st.booleans(),
    tuple[tuple[str, str], ...]: st.sampled_from(
        [(), (("python", "3"),), (("c", "1"), ("x", "y"))]
    ),
    tuple[tuple[str, float], ...]: st.just(()),
}


def _any(kind: type[Message]) -> st.SearchStrategy[Message]:
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{name: SMALL[hint] for name, hint in hints.items()})


anything: st.SearchStrategy[Message] = st.one_of(
    [_any(kind) for kind in typing.get_args(messages.Message)]
)
payloads = st.sampled_from([b"", b"p", b"x" * 2000, b"\x91\x92\x01\xc4\x01a", b"y" * 70_000])
#: Who speaks (by number among those there are), what, and how much time passes before it.
words = st.tuples(
    st.integers(0, 7), anything, payloads, st.sampled_from([0.0, 0.0, 0.0, 0.1, 1.0, 7.0])
)


def _farm_of_everybody() -> tuple[Farm, list[bytes]]:
    farm = Farm(min_workers=2, max_workers=3, max_queued=4)
    farm.gateway()
    farm.gateway(b"gateway2")
    workers = farm.workers(farm.host())
    farm.host(b"host2")
    farm.submit(streaming=True)
    farm.submit(cache_key=b"k")
    farm.submit(cache_key=b"k")
    farm.submit(client_key="e1")
    return farm, [b"gateway", b"gateway2", b"host", b"host2", *workers, b"stranger", b"spare"]


@settings(deadline=None, max_examples=300)
@given(st.lists(words, max_size=60))
def test_no_sequence_of_messages_breaks_the_machine(
    said: list[tuple[int, Message, bytes, float]],
) -> None:
    farm, peers = _farm_of_everybody()
    farm.peers[b"stranger"] = farm.peers[b"host"]
    farm.peers[b"spare"] = farm.peers[b"gateway"]
    for number, message, payload, pause_s in said:
        farm.now += pause_s
        farm.machine.expire(farm.now)
        farm.machine.check()
        farm.say(peers[number % len(peers)], message, payload)
    farm.machine.snapshot(farm.now)
    # Whatever they have left behind goes with them.
    for peer, side in farm.peers.items():
        farm.machine.disconnected(side, peer, farm.now)
        farm.machine.check()
    assert farm.machine.leftovers() == {}


def test_every_kind_of_message_can_be_made_up() -> None:
    assert len(typing.get_args(messages.Message)) >= 27
    assert Role.WORKER in Role
