"""The service's messages as the SDK reads them."""

from __future__ import annotations

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from dcodex.replies import parse_event, read_event
from dcodex.values import CompilerOutput, Stderr, Stdout
from dcodex_proto.v1 import executor_pb2 as pb

MESSAGES = st.one_of(
    st.builds(lambda data: pb.ExecuteEvent(stdout=data), st.binary()),
    st.builds(lambda data: pb.ExecuteEvent(stderr=data), st.binary()),
    st.builds(lambda data: pb.ExecuteEvent(compiler_output=data), st.binary()),
    st.builds(lambda at: pb.ExecuteEvent(queued=pb.Queued(position=at)), st.integers(0, 1 << 40)),
    st.just(pb.ExecuteEvent(accepted=pb.Accepted(execution_id="x"))),
    st.just(pb.ExecuteEvent(finished=pb.Finished(verdict=pb.VERDICT_OK))),
    st.just(pb.ExecuteEvent()),
)


@given(messages=st.lists(MESSAGES, max_size=3))
def test_an_event_is_read_as_protobuf_reads_it(messages: list[pb.ExecuteEvent]) -> None:
    # Several after one another are one message, of which the last counts.
    data = b"".join(message.SerializeToString() for message in messages)
    assert read_event(parse_event(data)) == read_event(pb.ExecuteEvent.FromString(data))


@given(data=st.binary(max_size=12), key=st.sampled_from((b"", b"\x22", b"\x2a", b"\x32")))
def test_bytes_of_anybody_are_read_as_protobuf_reads_them(data: bytes, key: bytes) -> None:
    try:
        expected = pb.ExecuteEvent.FromString(key + data)
    except DecodeError:
        with pytest.raises(DecodeError):
            parse_event(key + data)
    else:
        assert read_event(parse_event(key + data)) == read_event(expected)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16383, 16384, 65536, 262144])
@pytest.mark.parametrize("kind", [Stdout, Stderr, CompilerOutput])
def test_output_of_every_size_arrives_whole(
    kind: type[Stdout | Stderr | CompilerOutput], size: int
) -> None:
    name = {Stdout: "stdout", Stderr: "stderr", CompilerOutput: "compiler_output"}[kind]
    data = b"x" * size
    message = pb.ExecuteEvent()
    setattr(message, name, data)
    assert parse_event(message.SerializeToString()) == kind(data)
