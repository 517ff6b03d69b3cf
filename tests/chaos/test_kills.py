"""Each part of a farm killed or stopped at a moment that hurts."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from tests.chaos.parts import Process, Role, parts_of, send, table

import dcodex
from dcodex import Started, Stdout
from dcodex.demo.leftovers import adopting_orphans
from dcodex.demo.preflight import missing_right
from dcodex.testing import Farm, quiet_flags

#: For a replacement to come, on a machine that does much else.
PATIENCE_S = 60.0
#: The caller of what was lost hears of it within this; the machine of the tests is busy.
NEWS_S = 3.0
WORKERS = 2


@pytest.fixture(scope="module", autouse=True)
def _isolation() -> Iterator[None]:
    right = missing_right()
    if right:
        pytest.skip(right)
    with adopting_orphans():
        yield


@pytest.fixture
def farm() -> Iterator[Farm]:
    """One of its own for each test: it will be hurt."""
    with Farm(*quiet_flags(WORKERS)) as farm:
        yield farm


@pytest.fixture
def client(farm: Farm) -> Iterator[dcodex.Client]:
    with dcodex.connect(farm.target) as client:
        yield client


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Look again and again, since nobody tells: processes of others."""
    deadline = time.monotonic() + PATIENCE_S
    never = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        never.wait(0.02)


def keeper_of(farm: Farm, program: Process) -> Process:
    """The keeper above a program."""
    (keeper,) = [
        process
        for process in parts_of(farm.process.pid)[Role.KEEPER]
        if process.pid == program.parent
    ]
    return keeper


def named(name: str) -> list[Process]:
    """The processes of this name."""
    return [process for process in table().values() if process.name == name]


def is_gone(process: Process) -> bool:
    now = table().get(process.pid)
    return now is None or now.started != process.started or now.is_zombie


#: Seen from outside by the name that it is given; ends when told.
_NAMED = """\
import ctypes, os, sys
sys.stderr.write(f'my uid is {os.getuid()}\\n')
ctypes.CDLL(None).prctl(15, sys.argv[1].encode(), 0, 0, 0)
print('on', flush=True)
input()
"""


def test_a_keeper_whose_worker_is_gone_never_runs_what_a_program_left(
    farm: Farm, client: dcodex.Client
) -> None:
    name = f"np-{os.urandom(5).hex()}"
    with client.execute(_NAMED, args=[name], cache=False) as execution:
        until_output(execution)
        (program,) = named(name)
        keeper = keeper_of(farm, program)
        # It learns of the program's end and of the worker's in one moment.
        assert send(keeper, signal.SIGSTOP)
        execution.send_stdin("end\n")
        wait_for(lambda: is_gone(program), "end of the program")
        parts = parts_of(farm.process.pid)
        # The host would end the keeper at once.
        (host,) = parts[Role.HOST]
        assert send(host, signal.SIGSTOP)
        for worker in parts[Role.WORKER]:
            send(worker, signal.SIGKILL)
        send(keeper, signal.SIGCONT)
        wait_for(lambda: is_gone(keeper), "end of the keeper")
        send(host, signal.SIGCONT)
        with pytest.raises(dcodex.Unavailable):
            execution.result()
    until_served(client)
    assert "my uid is" not in farm.log.read_text()


def until_output(execution: dcodex.Execution) -> str:
    """Read until the program has written; returns the id of its worker."""
    worker_id = ""
    for event in execution:
        if isinstance(event, Started):
            worker_id = event.worker_id
        if isinstance(event, Stdout):
            return worker_id
    raise AssertionError(f"it ended: {execution.finished}")


def until_served(client: dcodex.Client) -> None:
    """Ask until a program runs again."""
    deadline = time.monotonic() + PATIENCE_S
    never = threading.Event()
    while True:
        try:
            if client.run("print(1)", cache=False, timeout_s=PATIENCE_S).ok:
                return
        except dcodex.DCodeXError:
            assert time.monotonic() < deadline
        never.wait(0.05)
