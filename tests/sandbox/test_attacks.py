"""The attack corpus, through the public API, on the real kernel, watched from the host."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sandbox import host
from tests.sandbox.conftest import Lab, Outcome
from tests.sandbox.corpus import ATTACKS, Attack

from dcodex import Result, Verdict

#: The first test waits for the farm, and a row for those before it.
pytestmark = pytest.mark.timeout(600)
#: From the answer to the last of its processes: what RECYCLING may take.
GONE_WITHIN_S = 3.0


def _describe(result: Result) -> str:
    return (
        f"{result.verdict.name} exit={result.exit_code} signal={result.signal} "
        f"message={result.message!r} cpu={result.usage.cpu_s:.3f} wall={result.usage.wall_s:.3f} "
        f"peak={result.usage.peak_memory_bytes >> 20} MiB\n"
        f"stdout={result.stdout[:1500]!r}\nstderr={result.stderr[:1500]!r}\n"
        f"compiler={result.compiler_output[:1500]!r}"
    )


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_comes_to_what_the_table_says(
    attack: Attack, lab: Lab, outcomes: Callable[[Attack], Outcome]
) -> None:
    outcome = outcomes(attack)
    result = outcome.result
    story = _describe(result)
    said = result.stdout + result.stderr + result.compiler_output
    assert b"LEAK:" not in result.stdout + result.stderr, story
    assert b"LEAK:tool" not in result.compiler_output, story
    assert result.verdict in attack.verdicts, story
    assert lab.canary.encode() not in said, story
    for secret in _host_secrets():
        assert secret not in said, story
    if attack.exit_code is not None:
        assert result.exit_code == attack.exit_code, story
    if attack.signal is not None:
        assert result.signal == attack.signal, story
    if result.verdict is Verdict.OK or result.verdict in (Verdict.NONZERO_EXIT,):
        assert result.stdout.startswith(attack.starts), story
    if attack.stdout is not None:
        assert result.stdout == attack.stdout, story
    if attack.stderr is not None:
        assert result.stderr == attack.stderr, story
    if attack.max_cpu_s is not None:
        assert result.usage.cpu_s <= attack.max_cpu_s, story
    if attack.max_wall_s is not None:
        assert result.usage.wall_s <= attack.max_wall_s, story
    if attack.max_output is not None:
        assert len(result.stdout) + len(result.stderr) <= attack.max_output, story
    if attack.limits.memory_bytes is not None:
        assert result.usage.peak_memory_bytes <= attack.limits.memory_bytes * 1.05, story
    if outcome.hello is not None:
        assert outcome.hello.verdict is Verdict.OK, _describe(outcome.hello)
        assert outcome.hello.stdout == b"hello\n"


def test_no_process_of_an_attack_outlives_its_run(
    lab: Lab, outcomes: Callable[[Attack], Outcome]
) -> None:
    for attack in ATTACKS:
        try:
            outcomes(attack)
        except KeyError:
            continue  # not among the selected rows
    deadline = time.monotonic() + GONE_WITHIN_S
    left = host.marked()
    while left and time.monotonic() < deadline:
        left = host.marked()
    assert not left


def test_the_watcher_saw_programs_and_nothing_that_must_not_be(
    lab: Lab, outcomes: Callable[[Attack], Outcome]
) -> None:
    lab.watcher.look()
    assert lab.watcher.programs, "the watcher saw no program: it watches the wrong thing"
    assert not lab.watcher.violations


def _host_secrets() -> list[bytes]:
    """Lines that only a reader of the host's own files can know."""
    found = []
    for path in ("/etc/shadow", "/etc/machine-id", "/root/.bashrc"):
        try:
            lines = Path(path).read_bytes().splitlines()
        except OSError:
            continue
        # Short lines ("fi", "esac") say nothing.
        found += [line for line in lines if len(line) > 20][:5]
    return found
