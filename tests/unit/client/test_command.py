"""The dcodex command's own face: help, errors, what it prints of results and farms."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from dcodex.command import SUBCOMMANDS, main
from dcodex.command.farm_view import Rate, draw, next_rate
from dcodex.command.outcome import as_json, draw_trace, exit_status, reason, statistics
from dcodex.command.program import seconds, size
from dcodex.demo.cases import CASES, SECRET, answer_guess
from dcodex.demo.preflight import missing_compilers, read_report
from dcodex.values import FarmSnapshot, Finished, Queue, Result, Stamp, Verdict, Worker, WorkerState
from dcodex_gateway.tokens import parse_tokens
from dcodex_shared.keys import load_pair, load_public

PATIENCE_S = 30.0


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {name} " in text for name in SUBCOMMANDS)
    assert "examples:" in text


@pytest.mark.parametrize(
    "name", ["run", "repl", "languages", "top", "up", "keys", "tokens", "runtime"]
)
def test_every_help_has_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main([name, "--help"])
    assert exited.value.code == 0
    assert f"examples:\n  dcodex {name}" in capsys.readouterr().out


def test_an_unknown_command_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rum"]) == 2
    assert capsys.readouterr().err.startswith("dcodex: no command 'rum'; there are run, ")


def test_a_caller_without_the_services_packages_is_told_how_to_get_them() -> None:
    script = (
        "import sys; sys.modules['rich'] = None\n"
        "from dcodex.command import main; sys.exit(main(['top']))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, timeout=PATIENCE_S
    )
    assert done.returncode == 125
    assert b"pip install 'dcodex[server]'" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_the_sdk_needs_nothing_but_grpc_and_protobuf() -> None:
    script = (
        "import sys, dcodex.command.run, dcodex.command.languages, dcodex.command.repl\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, timeout=PATIENCE_S, check=True
    )
    loaded = set(done.stdout.decode().split())
    ours = {"dcodex_shared", "dcodex_gateway", "dcodex_coordinator", "dcodex_worker"}
    theirs = {"cachetools", "msgpack", "prometheus_client", "rich", "uvloop", "zmq"}
    assert not loaded & (ours | theirs)


def test_a_new_token_is_shown_once_and_its_hash_is_what_the_gateway_reads(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["tokens", "new", "ci"]) == 0
    shown = capsys.readouterr()
    grant = parse_tokens(shown.out, "tokens.toml").find(shown.err.strip())
    assert grant is not None
    assert grant.tenant == "ci"
    assert shown.err.strip() not in shown.out


def test_new_keys_are_a_pair_and_are_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["keys", "new", "host-a", "--dir", str(tmp_path)]
    assert main(arguments) == 0
    assert load_pair(tmp_path / "host-a.key").public == load_public(tmp_path / "host-a.pub")
    assert main(arguments) == 1
    assert "exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "value"), [("2s", 2.0), ("500ms", 0.5), ("1.5", 1.5), ("2m", 120.0), ("1h", 3600.0)]
)
def test_durations_are_read_as_people_write_them(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("64KB", 65536), ("1GiB", 1 << 30), ("4096", 4096), ("12B", 12), ("1m", 1 << 20)],
)
def test_sizes_are_read_as_people_write_them(text: str, value: int) -> None:
    assert size(text) == value


@pytest.mark.parametrize(
    ("finished", "status"),
    [
        (Finished(verdict=Verdict.OK, exit_code=0), 0),
        (Finished(verdict=Verdict.NONZERO_EXIT, exit_code=42), 42),
        (Finished(verdict=Verdict.SIGNALED, exit_code=139, signal=11), 139),
        (Finished(verdict=Verdict.CPU_LIMIT, exit_code=152, signal=24), 137),
        (Finished(verdict=Verdict.PROCESS_LIMIT, exit_code=3), 3),
        (Finished(verdict=Verdict.PROCESS_LIMIT, exit_code=-1), 137),
        (Finished(verdict=Verdict.COMPILE_ERROR, exit_code=-1), 1),
        (Finished(verdict=Verdict.UNSPECIFIED, exit_code=0), 125),
    ],
)
def test_a_shell_sees_how_the_program_ended(finished: Finished, status: int) -> None:
    assert exit_status(finished) == status


def test_only_an_end_that_the_program_did_not_explain_is_explained() -> None:
    assert reason(Finished(verdict=Verdict.OK, exit_code=0)) == ""
    assert reason(Finished(verdict=Verdict.NONZERO_EXIT, exit_code=1, message="exit 1")) == ""
    killed = Finished(verdict=Verdict.SIGNALED, exit_code=139, signal=11)
    assert reason(killed) == "killed by SIGSEGV"
    assert statistics(killed).startswith("SIGNALED, exit 139, cpu 0.0 ms")


def test_a_trace_is_drawn_with_the_time_since_its_start_and_its_last_stamp() -> None:
    stamps = [Stamp("client.sent", 1.0), Stamp("gateway.in", 1.002), Stamp("client.ended", 1.005)]
    assert draw_trace(stamps).decode().splitlines() == [
        "client.sent       0.000 ms  +0.000",
        "gateway.in        2.000 ms  +2.000",
        "client.ended      5.000 ms  +3.000",
    ]


def test_a_trace_from_another_machines_clock_begins_there() -> None:
    stamps = [Stamp("client.sent", 900.0), Stamp("gateway.in", 7.0), Stamp("client.ended", 901.0)]
    assert draw_trace(stamps) == b"gateway.in      0.000 ms  +0.000\n"


def test_json_keeps_bytes_that_are_not_text() -> None:
    table = as_json(Result(verdict=Verdict.OK, exit_code=0, stdout=b"\xff", stderr=b"ok"))
    assert (table["stdout"], table["stdout_base64"]) == ("\ufffd", "/w==")
    assert "stderr_base64" not in table


def snapshot(workers: int) -> FarmSnapshot:
    return FarmSnapshot(
        workers=tuple(
            Worker(f"h/{n}", "h", WorkerState(1 + n % 4), "python", "e" * 32, 61.0, n)
            for n in range(workers)
        ),
        queues=(Queue("cpp", 7, 0.5), Queue("python", 0, 0.0)),
        workers_desired=4,
        executions_total=1234,
        cache_hits_total=1,
        cache_misses_total=3,
        latency_p50_s=0.005,
        latency_p99_s=0.25,
    )


def drawn(view: FarmSnapshot, lines: int, age_s: float = 0.0) -> str:
    out = io.StringIO()
    console = Console(file=out, width=100, highlight=False)
    console.print(draw(view, "here:1", Rate(2.5), age_s, lines))
    return out.getvalue()


def test_a_farm_is_drawn_with_states_queues_and_latency() -> None:
    text = drawn(snapshot(4), 40, age_s=1.0)
    assert "here:1  2.5 runs/s  1,234 in all  cache 25%  latency p50 5.0 ms p99 250.0 ms" in text
    assert "1 IDLE  1 BUSY  1 RECYCLING  1 SHUTDOWN  4 of 4 wanted" in text
    assert "1.5 s" in text  # the oldest request's wait goes on between snapshots
    assert "h/0" in text
    assert "eeeeeeeeeeee" in text


def test_a_farm_larger_than_the_terminal_says_how_much_is_not_shown() -> None:
    assert "and 55 more" in drawn(snapshot(64), 21)


def test_the_rate_is_over_the_last_seconds_and_survives_a_restart() -> None:
    rate = Rate()
    for second in range(20):
        rate = next_rate(rate, 10 * second, float(second))
    assert rate.per_s == pytest.approx(10.0)
    rate = next_rate(rate, 3, 20.0)
    assert rate.per_s == 0.0


def test_the_demos_answers_lead_to_its_secret() -> None:
    low, high = 1, 100
    while low < high:
        middle = (low + high) // 2
        answer = answer_guess(f"is it greater than {middle}?")
        assert answer in ("yes\n", "no\n")
        low, high = (middle + 1, high) if answer == "yes\n" else (low, middle)
    assert low == SECRET
    assert answer_guess("it is 73") is None


def test_the_demo_covers_every_kind_of_end() -> None:
    assert {case.verdict for case in CASES} >= {
        Verdict.OK,
        Verdict.NONZERO_EXIT,
        Verdict.COMPILE_ERROR,
        Verdict.CPU_LIMIT,
        Verdict.MEMORY_LIMIT,
        Verdict.OUTPUT_LIMIT,
        Verdict.PROCESS_LIMIT,
    }


def test_a_missing_compiler_is_told_with_its_package() -> None:
    missing = missing_compilers(lambda command: None if command == "g++" else command)
    assert list(missing) == ["cpp"]
    assert missing["cpp"].endswith("apt-get install g++")


def test_what_the_doctor_misses_is_one_line_with_its_remedy() -> None:
    good = {"name": "kernel", "ok": True, "required": True, "text": "6.1", "remedy": ""}
    note = {"name": "linker", "ok": False, "required": False, "text": "slow", "remedy": "mold"}
    bad = {"name": "rights", "ok": False, "required": True, "text": "user 7", "remedy": "be root"}
    trial = {"name": "trial", "ok": False, "required": True, "text": "no", "remedy": "see"}
    assert read_report({"fit": True, "findings": [good, note]}) is None
    assert read_report({"fit": False, "findings": [good, trial]}) is None
    assert read_report({"fit": False, "findings": [good, note, bad]}) == (
        "this machine cannot run sandboxes: rights: user 7 (be root)"
    )
