"""Which CPUs our own threads keep to."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

import pytest
from tests.environment import of_tests

from dcodex_shared import placement
from dcodex_shared.config import ConfigError, GatewaySettings, add_flags, load


@pytest.mark.parametrize(
    ("text", "expected"), [("0", {0}), ("0,2-3", {0, 2, 3}), ("5-5, 1", {1, 5})]
)
def test_a_list_is_read_as_the_kernel_writes_it(text: str, expected: set[int]) -> None:
    assert placement.numbers(text) == expected


@pytest.mark.parametrize("text", ["", "x", "3-1", "1,", "-1", "1-", "9999999", "8192", "²"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected auto, any or a list of CPUs"):
        placement.parse_cpus(text)


def test_words_are_words() -> None:
    assert placement.parse_cpus(" AUTO ") == placement.AUTO
    assert placement.parse_cpus("any") == placement.ANY


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [([0], "any"), ([0, 1], "1"), ([4, 6, 9], "9"), ([0, 1, 2, 3], "any")],
)
def test_a_small_machine_gives_the_services_one_cpu(allowed: list[int], expected: str) -> None:
    assert placement.for_one_machine(placement.AUTO, allowed) == expected


def test_what_was_said_is_kept() -> None:
    assert placement.for_one_machine("0", [0, 1]) == "0"
    assert placement.for_one_machine(placement.ANY, [0, 1]) == placement.ANY


def test_a_cpu_that_is_not_there_is_a_wrong_setting() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser, GatewaySettings)
    with pytest.raises(ConfigError, match="service_cpus: none of the CPUs 8191 may be used here"):
        load(GatewaySettings, parser.parse_args(["--service-cpus=8191"]), {})


def test_threads_keep_to_what_they_were_given() -> None:
    allowed = os.sched_getaffinity(0)
    one = max(allowed)
    program = (
        "import os, sys, threading\n"
        "from dcodex_shared.placement import keep_to\n"
        "keep_to(sys.argv[1])\n"
        "thread = threading.Thread(target=lambda: print(*os.sched_getaffinity(0)))\n"
        "thread.start(); thread.join()\n"
    )
    for given, expected in ((str(one), {one}), (f"{one},8000", {one}), ("any", allowed)):
        done = subprocess.run(
            [sys.executable, "-P", "-c", program, given],
            env=of_tests(),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert set(map(int, done.stdout.split())) == expected
