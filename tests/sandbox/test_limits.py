"""Limits that make no sense are refused; those that do are exact."""

from __future__ import annotations

import math

import pytest
from tests.sandbox.conftest import HELLO, Lab

import dcodex
from dcodex import Limits, Verdict

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize(
    "limits",
    [
        Limits(cpu_s=0.0),
        Limits(cpu_s=-1.0),
        Limits(cpu_s=math.nan),
        Limits(cpu_s=math.inf),
        Limits(cpu_s=1e12),
        Limits(wall_s=0.0),
        Limits(wall_s=-0.5),
        Limits(wall_s=1e12),
        Limits(memory_bytes=0),
        Limits(memory_bytes=-1),
        Limits(memory_bytes=1),
        Limits(memory_bytes=1 << 60),
        Limits(processes=0),
        Limits(processes=-1),
        Limits(processes=1 << 30),
        Limits(output_bytes=0),
        Limits(output_bytes=1 << 60),
        Limits(file_size_bytes=-1),
        Limits(open_files=0),
        Limits(open_files=1),
        Limits(open_files=1 << 30),
    ],
    ids=repr,
)
def test_a_limit_that_makes_no_sense_is_refused(limits: Limits, lab: Lab) -> None:
    with pytest.raises(dcodex.InvalidRequest, match=r"limits\."):
        lab.client.run(HELLO, limits=limits, cache=False)


def test_one_process_is_enough_for_a_program_that_starts_none(lab: Lab) -> None:
    result = lab.client.run(HELLO, limits=Limits(processes=1), cache=False)
    assert (result.verdict, result.stdout) == (Verdict.OK, b"hello\n")


def test_the_reported_cpu_time_counts_children_that_nobody_waited_for(lab: Lab) -> None:
    source = (
        "import os, time\n"
        "r, w = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        end = time.process_time() + 0.3\n"
        "        while time.process_time() < end: pass\n"
        "        os.write(w, b'x')\n"
        "    os._exit(0)\n"
        "os.wait(); os.read(r, 1)\n"
    )
    result = lab.client.run(source, cache=False, limits=Limits(cpu_s=3.0))
    assert result.verdict is Verdict.OK, result
    assert 0.3 <= result.usage.cpu_s <= 0.6, result


def test_memory_counts_the_whole_tree_and_files_on_tmpfs(lab: Lab) -> None:
    source = "import os; f = open('/tmp/x', 'wb'); f.write(b'x' * (64 << 20)); f.flush()"
    result = lab.client.run(source, cache=False)
    assert result.verdict is Verdict.OK, result
    assert result.usage.peak_memory_bytes >= 64 << 20
