"""The verdict table: every cause, counter and status against every other."""

from __future__ import annotations

import itertools
import signal

import pytest

from dcodex_shared.limits import DEFAULT_LIMITS
from dcodex_shared.messages import Verdict
from dcodex_worker.verdict import (
    KILLED_CODE,
    NEVER_RAN,
    Cause,
    Ending,
    decode_status,
    judge,
)

EXIT_0 = 0
EXIT_42 = 42 << 8
KILLED = int(signal.SIGKILL)
SEGV_WITH_CORE = int(signal.SIGSEGV) | 0x80

STATUSES = (None, EXIT_0, EXIT_42, KILLED, SEGV_WITH_CORE)
CAUSES = (None, *Cause)
FLAGS = (False, True)


def ending(
    status: int | None = EXIT_0,
    cause: Cause | None = None,
    cpu_s: float = 0.01,
    oom_killed: bool = False,
    processes_refused: bool = False,
    output_truncated: bool = False,
    compiling: bool = False,
) -> Ending:
    return Ending(
        status=status,
        cause=cause,
        reason="the caller left",
        cpu_s=cpu_s,
        oom_killed=oom_killed,
        processes_refused=processes_refused,
        output_truncated=output_truncated,
        compiling=compiling,
        limits=DEFAULT_LIMITS,
    )


def expected_run(seen: Ending) -> Verdict:
    """The precedence of the module's docstring, said once more as a list."""
    failed = seen.status != EXIT_0
    by_signal = seen.status in (KILLED, SEGV_WITH_CORE)
    rules = [
        (seen.cause is Cause.CANCELLED, Verdict.CANCELLED),
        (seen.cause is Cause.OUTPUT or seen.output_truncated, Verdict.OUTPUT_LIMIT),
        (seen.oom_killed, Verdict.MEMORY_LIMIT),
        (seen.cause is Cause.CPU or seen.cpu_s > seen.limits.cpu_s, Verdict.CPU_LIMIT),
        (seen.cause is Cause.WALL, Verdict.WALL_LIMIT),
        (seen.cause is Cause.OVERRUN, Verdict.SYSTEM_ERROR),
        (seen.status is None, Verdict.SYSTEM_ERROR),
        (failed and seen.processes_refused, Verdict.PROCESS_LIMIT),
        (by_signal, Verdict.SIGNALED),
        (failed, Verdict.NONZERO_EXIT),
        (True, Verdict.OK),
    ]
    return next(verdict for holds, verdict in rules if holds)


def expected_compile(seen: Ending) -> Verdict | None:
    as_run = expected_run(seen)
    if as_run is Verdict.OK:
        return None
    if as_run in (Verdict.CANCELLED, Verdict.SYSTEM_ERROR):
        return as_run
    if as_run in (Verdict.NONZERO_EXIT, Verdict.SIGNALED):
        return Verdict.COMPILE_ERROR
    return Verdict.COMPILE_LIMIT


PRODUCT = [
    ending(status, cause, cpu_s, oom, refused, truncated, compiling)
    for status, cause, cpu_s, oom, refused, truncated, compiling in itertools.product(
        STATUSES, CAUSES, (0.01, 1.01), FLAGS, FLAGS, FLAGS, FLAGS
    )
]


def test_every_ending_has_the_verdict_that_the_precedence_says() -> None:
    for seen in PRODUCT:
        outcome = judge(seen)
        expected = expected_compile(seen) if seen.compiling else expected_run(seen)
        assert (None if outcome is None else outcome.verdict) == expected, seen


def test_every_outcome_is_consistent_in_itself() -> None:
    for seen in PRODUCT:
        outcome = judge(seen)
        if outcome is None:
            continue
        assert NEVER_RAN <= outcome.exit_code <= 255
        assert 0 <= outcome.signal <= 64
        if outcome.signal:
            assert outcome.exit_code == 128 + outcome.signal
        assert (outcome.exit_code == 0) == (outcome.verdict is Verdict.OK)
        assert bool(outcome.message) == (outcome.verdict is not Verdict.OK)
        assert "\n" not in outcome.message


@pytest.mark.parametrize("status", [EXIT_0, EXIT_42, KILLED, None])
def test_a_program_that_a_limit_stopped_counts_as_killed_whatever_its_status(
    status: int | None,
) -> None:
    outcome = judge(ending(status, Cause.WALL))
    assert outcome is not None
    assert (outcome.exit_code, outcome.signal) == (KILLED_CODE, 9)


def test_a_limit_verdict_names_the_figure() -> None:
    outcome = judge(ending(None, Cause.OUTPUT))
    assert outcome is not None
    assert outcome.message == "output limit of 64 KiB exceeded"


def test_a_program_that_did_not_compile_never_ran() -> None:
    outcome = judge(ending(1 << 8, compiling=True))
    assert outcome is not None
    assert (outcome.verdict, outcome.exit_code) == (Verdict.COMPILE_ERROR, NEVER_RAN)
    assert outcome.message == "the compiler ended with exit code 1"


def test_a_signal_is_named() -> None:
    outcome = judge(ending(SEGV_WITH_CORE))
    assert outcome is not None
    assert outcome.message == "ended by signal 11 (SIGSEGV)"


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_an_exit_status_is_read_as_it_was_given(code: int) -> None:
    assert decode_status(code << 8) == (code, 0)


@pytest.mark.parametrize("number", range(1, 65))
def test_a_signal_status_is_read_with_and_without_a_core(number: int) -> None:
    assert decode_status(number) == (128 + number, number)
    assert decode_status(number | 0x80) == (128 + number, number)
