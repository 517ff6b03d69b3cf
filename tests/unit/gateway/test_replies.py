"""What callers are told, in the native and in the classic words."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_gateway import replies
from dcodex_gateway.classic import Texts, figures_log
from dcodex_gateway.wording import failure
from dcodex_proto.v1 import executor_pb2 as pb
from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.limits import DEFAULT_CEILING, DEFAULT_LIMITS
from dcodex_shared.messages import Finished, Stream, Verdict

END = Finished(
    execution_id="x",
    verdict=Verdict.OK,
    exit_code=0,
    signal=0,
    message="fine",
    cpu_user_s=0.25,
    cpu_system_s=0.125,
    wall_s=0.5,
    peak_memory_bytes=1000,
    compile_s=0.75,
    output_truncated=False,
    compile_cache_hit=True,
    cache_hit=True,
    queue_wait_s=0.0625,
    worker_id="h/1",
    warm=True,
)


def test_every_verdict_has_the_same_name_and_number_in_the_api() -> None:
    for verdict in Verdict:
        assert pb.Verdict.Name(int(verdict)) == f"VERDICT_{verdict.name}"  # type: ignore[arg-type] # an enum's number
    assert len(pb.Verdict.values()) == len(Verdict) + 1


def test_the_final_event_says_everything_there_is() -> None:
    said = replies.finished(END)
    assert said == pb.Finished(
        verdict=pb.VERDICT_OK,
        exit_code=0,
        signal=0,
        message="fine",
        usage=pb.Usage(
            cpu_user_s=0.25,
            cpu_system_s=0.125,
            wall_s=0.5,
            peak_memory_bytes=1000,
            queue_wait_s=0.0625,
            compile_s=0.75,
        ),
        output_truncated=False,
        cache_hit=True,
        compile_cache_hit=True,
        worker_id="h/1",
        warm=True,
    )


@pytest.mark.parametrize(
    "bad",
    [{"verdict": 0}, {"verdict": 13}, {"exit_code": 2**31}, {"signal": -(2**31) - 1}],
)
def test_an_answer_that_no_caller_could_be_given_is_the_peers_fault(bad: dict[str, int]) -> None:
    with pytest.raises(RemoteProtocolError):
        replies.check_finished(replace(END, **bad))  # type: ignore[arg-type] # by name


@given(st.sampled_from(Stream), st.lists(st.binary(max_size=300), max_size=4))
def test_output_written_by_hand_is_what_protobuf_would_write(
    stream: Stream, parts: list[bytes]
) -> None:
    data = b"".join(parts)
    field = {Stream.COMPILER: "compiler_output"}.get(stream, stream.name.lower())
    event = pb.ExecuteEvent(**{field: data})  # type: ignore[arg-type] # by name
    assert replies.output_event(stream, len(data), parts) == event.SerializeToString()


def test_a_run_reply_holds_each_stream_whole() -> None:
    records = [(Stream.STDOUT, b"a"), (Stream.COMPILER, b"c"), (Stream.STDOUT, b"b")]
    reply = pb.RunReply.FromString(replies.run_reply("id", END, records))
    assert reply == pb.RunReply(
        execution_id="id", stdout=b"ab", compiler_output=b"c", finished=replies.finished(END)
    )


def test_a_language_without_a_name_here_is_left_out() -> None:
    offered = (("klingon", "1"), ("python", "3.11.2"))
    reply = replies.languages_reply(offered, DEFAULT_LIMITS, DEFAULT_CEILING)
    assert [language.name for language in reply.languages] == ["python"]


# --- the classic words -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "changes", "said"),
    [
        (Verdict.OK, {}, ""),
        (Verdict.WALL_LIMIT, {}, "ERROR: Wall-clock timeout exceeded\n"),
        (Verdict.OUTPUT_LIMIT, {}, "ERROR: Output truncated\n"),
        (Verdict.SIGNALED, {"signal": 9}, "ERROR: Process killed by signal: 9\n"),
        (Verdict.SIGNALED, {"signal": 11}, "ERROR: Process killed by signal: 11\n"),
        (
            Verdict.NONZERO_EXIT,
            {"exit_code": 42},
            "ERROR: Process exited with non-zero status: 42\n",
        ),
        (
            Verdict.CPU_LIMIT,
            {"signal": 9},
            "ERROR: CPU time limit exceeded. Process killed by signal: 9\n",
        ),
        (
            Verdict.MEMORY_LIMIT,
            {"signal": 9},
            "ERROR: Memory limit exceeded. Process killed by signal: 9\n",
        ),
        (
            Verdict.PROCESS_LIMIT,
            {"signal": 9},
            "ERROR: Process limit exceeded. Process killed by signal: 9\n",
        ),
        (
            Verdict.PROCESS_LIMIT,
            {"exit_code": 1},
            "ERROR: Process limit exceeded. Process exited with non-zero status: 1\n",
        ),
        (Verdict.COMPILE_ERROR, {}, "ERROR: Compilation failed\n"),
    ],
)
def test_a_classic_client_is_told_in_the_words_it_looks_for(
    verdict: Verdict, changes: dict[str, int], said: str
) -> None:
    assert failure(replace(END, verdict=int(verdict), **changes)) == said  # type: ignore[arg-type] # by name


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.OK])
def test_every_failure_is_said_in_one_line_that_begins_with_error(verdict: Verdict) -> None:
    said = failure(replace(END, verdict=int(verdict)))
    assert said.startswith("ERROR: ")
    assert said.endswith("\n")


def test_the_last_classic_message_holds_the_figures_alone() -> None:
    log = figures_log(replace(END, verdict=int(Verdict.WALL_LIMIT)))
    assert (log.stdout_chunk, log.stderr_chunk) == ("", "")
    assert log.peak_memory_bytes == 1000
    assert log.execution_time_ms == 500.0
    assert log.cache_hit
    assert log.wall_clock_timeout
    assert not log.output_truncated
    assert figures_log(replace(END, output_truncated=True)).output_truncated


@given(st.text(max_size=40), st.lists(st.integers(0, 160), max_size=6))
def test_characters_arrive_whole_wherever_the_chunks_are_cut(text: str, cuts: list[int]) -> None:
    data, texts, told = text.encode(), Texts(), ""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        log = texts.log(Stream.STDOUT, data[start:end])
        told += log.stdout_chunk if log else ""
    assert texts.rest() == []
    assert told == text


@given(st.lists(st.binary(max_size=8), max_size=8))
def test_invalid_bytes_are_replaced_as_if_they_had_come_at_once(chunks: list[bytes]) -> None:
    texts, told = Texts(), ""
    for chunk in chunks:
        log = texts.log(Stream.STDERR, chunk)
        told += log.stderr_chunk if log else ""
    told += "".join(log.stderr_chunk for log in texts.rest())
    assert told == b"".join(chunks).decode(errors="replace")


def test_streams_do_not_mix_their_halves_of_characters() -> None:
    texts = Texts()
    assert texts.log(Stream.STDOUT, "é".encode()[:1]) is None
    assert texts.log(Stream.STDERR, "é".encode()[1:]).stderr_chunk == "\ufffd"  # type: ignore[union-attr] # there is one
    assert texts.log(Stream.STDOUT, "é".encode()[1:]).stdout_chunk == "é"  # type: ignore[union-attr] # as above
