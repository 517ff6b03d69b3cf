"""The blocking client against a service on loopback."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import dcodex
from dcodex import Finished, Started, Stdout, Verdict

PATIENCE_S = 20.0


def test_run_returns_everything_the_program_wrote(target: str) -> None:
    with dcodex.connect(target) as client:
        result = client.run("out héllo\nerr bad\ncompiler warning\nexit 3")
    assert result.text == "héllo"
    assert result.stderr == b"bad"
    assert result.compiler_text == "warning"
    assert (result.verdict, result.exit_code, result.ok) == (Verdict.NONZERO_EXIT, 3, False)
    assert result.usage.cpu_s == 0.75
    assert result.warm
    assert result.execution_id == "e1"


def test_check_raises_with_the_verdict_and_the_programs_last_words(target: str) -> None:
    with dcodex.connect(target) as client:
        assert client.run("out fine").check().text == "fine"
        with pytest.raises(dcodex.ProgramFailed, match="NONZERO_EXIT: ValueError: no") as caught:
            client.run("err ValueError: no\nexit 1").check()
    assert caught.value.result.exit_code == 1


def test_every_option_reaches_the_service(target: str, farm: Any) -> None:
    with dcodex.connect(target, token="secret") as client:
        client.run(
            files={"main.py": "out x", "run.sh": dcodex.File("y", 0o755)},
            entry_point="main.py",
            language="py",
            version="3.11",
            args=["a", "b"],
            env={"MODE": "fast"},
            stdin="in",
            limits=dcodex.Limits(cpu_s=0.5, open_files=16),
            cache=False,
            priority="batch",
            labels={"job": "7"},
            execution_id="mine",
        )
    (start,) = farm.starts
    assert [(file.path, file.content, file.mode) for file in start.files] == [
        ("main.py", b"out x", 0),
        ("run.sh", b"y", 0o755),
    ]
    assert (start.language, start.version, start.entry_point) == ("py", "3.11", "main.py")
    assert (list(start.args), dict(start.environment)) == (["a", "b"], {"MODE": "fast"})
    assert (start.stdin, dict(start.labels)) == (b"in", {"job": "7"})
    assert (start.limits.cpu_s, start.limits.open_files) == (0.5, 16)
    assert not start.limits.HasField("wall_s")
    assert (start.cache, start.priority, start.execution_id) == (2, 2, "mine")
    assert farm.metadata[0]["authorization"] == "Bearer secret"


@pytest.mark.parametrize("options", [{}, {"files": {"a.py": ""}}])
def test_a_program_is_a_source_or_files_and_not_both(target: str, options: Any) -> None:
    with dcodex.connect(target) as client, pytest.raises(ValueError, match="one of them"):
        client.run("x" if options else "", **options)


def test_events_come_in_order_while_the_program_runs(target: str) -> None:
    with dcodex.connect(target) as client, client.execute("out a\nerr b\nread") as execution:
        events = [next(execution) for _ in range(5)]
        # The program waits for stdin at this point, and its output is here.
        assert events == [
            dcodex.Accepted("e1"),
            dcodex.Queued(3),
            Started("w1", 0.25, True),
            Stdout(b"a"),
            dcodex.Stderr(b"b"),
        ]
        assert execution.execution_id == "e1"
        assert execution.finished is None
        assert execution.send_stdin("one ")
        assert execution.send_stdin(b"two")
        execution.close_stdin()
        rest = list(execution)
    assert rest[0] == Stdout(b"<one two>")
    assert isinstance(rest[-1], Finished)
    assert execution.finished == rest[-1]


def test_result_collects_what_was_not_iterated(target: str) -> None:
    with dcodex.connect(target) as client:
        assert client.execute("out a\nout b", stdin_complete=True).result().text == "ab"


def test_stdin_of_any_size_goes_through_a_bounded_outbox(target: str) -> None:
    megabytes = b"0123456789abcdef" * (5 << 16)
    with dcodex.connect(target) as client, client.execute("read") as execution:
        assert execution.send_stdin(megabytes)
        execution.close_stdin()
        assert execution.result().stdout == b"<" + megabytes + b">"


def test_stdin_to_a_program_that_ended_goes_nowhere_and_says_so(target: str) -> None:
    with dcodex.connect(target) as client, client.execute("out x") as execution:
        execution.result()
        assert not execution.send_stdin("late")
        assert not execution.signal(15)
        execution.close_stdin()


def test_a_sender_that_waits_for_room_wakes_when_the_call_ends(target: str) -> None:
    sent: list[bool] = []
    with dcodex.connect(target) as client:
        execution = client.execute("hang")
        sender = threading.Thread(target=lambda: sent.append(execution.send_stdin(bytes(64 << 20))))
        sender.start()
        assert isinstance(next(execution), dcodex.Accepted)
        execution.cancel()
        sender.join(PATIENCE_S)
    assert sent == [False]


def test_a_signal_reaches_the_program(target: str) -> None:
    with dcodex.connect(target) as client, client.execute("signal") as execution:
        assert execution.signal(15)
        assert execution.result().text == "15"


def test_leaving_the_context_cancels_what_has_not_ended(target: str, farm: Any) -> None:
    with dcodex.connect(target) as client, client.execute("out x\nhang") as execution:
        while next(execution) != Stdout(b"x"):
            pass
    assert farm.cancelled.wait(PATIENCE_S)
    with pytest.raises(dcodex.Cancelled):
        next(execution)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("INVALID_ARGUMENT", dcodex.InvalidRequest),
        ("UNAUTHENTICATED", dcodex.Unauthenticated),
        ("PERMISSION_DENIED", dcodex.Refused),
        ("RESOURCE_EXHAUSTED", dcodex.Exhausted),
        ("DEADLINE_EXCEEDED", dcodex.DeadlineExceeded),
        ("UNAVAILABLE", dcodex.Unavailable),
        ("ABORTED", dcodex.Unavailable),
        ("INTERNAL", dcodex.ServiceFailed),
    ],
)
def test_each_status_is_an_exception_of_its_own(
    target: str, code: str, error: type[dcodex.DCodeXError]
) -> None:
    with dcodex.connect(target) as client:
        with pytest.raises(error, match=r"limits\.cpu_s") as run:
            client.run(f"reject {code}")
        with pytest.raises(error, match=r"limits\.cpu_s"):
            client.execute(f"reject {code}").result()
    if isinstance(run.value, dcodex.Exhausted):
        assert run.value.retry_after_s == 1.5


def test_a_traced_call_tells_its_stamps(target: str) -> None:
    stamps = [dcodex.Stamp("gateway.received", 1.5), dcodex.Stamp("gateway.answered", 1.75)]
    with dcodex.connect(target) as client:
        with client.execute("out x", trace=True) as execution:
            execution.result()
            assert execution.trace() == stamps
        with client.execute("out x") as execution:
            execution.result()
            assert execution.trace() == []


def test_a_timeout_is_a_deadline_for_the_service(target: str, farm: Any) -> None:
    with dcodex.connect(target) as client:
        with pytest.raises(dcodex.DeadlineExceeded):
            client.run("hang", timeout_s=0.2)
        assert farm.cancelled.wait(PATIENCE_S)


def test_nobody_at_the_target_is_unavailable() -> None:
    with dcodex.connect("127.0.0.1:1") as client, pytest.raises(dcodex.Unavailable):
        client.run("out x")


def test_languages_and_farm_are_values(target: str) -> None:
    with dcodex.connect(target) as client:
        (language,) = client.languages()
        assert (language.name, language.version, language.aliases) == ("python", "3.11.2", ("py",))
        assert language.default_limits.memory_bytes == 4 << 30
        assert language.default_limits.processes is None
        snapshots = list(client.farm())
    assert [snapshot.executions_total for snapshot in snapshots] == [0, 1, 2]
    assert snapshots[0].workers[0].state is dcodex.WorkerState.BUSY
    assert snapshots[0].queues == (dcodex.Queue("python", 2, 0.5),)


def test_a_verdict_of_a_newer_service_is_unspecified() -> None:
    assert Verdict(99) is Verdict.UNSPECIFIED
    assert str(Verdict.CPU_LIMIT) == "CPU_LIMIT"
