"""Each part of a farm killed or stopped at a moment that hurts."""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from tests.chaos.parts import Process, Role, parts_of, send, table

import dcodex
from dcodex import Started, Stdout
from dcodex.demo.leftovers import adopting_orphans
from dcodex.demo.preflight import missing_right
from dcodex.testing import Farm, quiet_flags

#: For a replacement to come, on a machine that does much else.
PATIENCE_S = 60.0
#: The caller of what was killed hears of it within this.
NEWS_S = 1.0
#: How long a part is stopped: beyond LOST_S, after which it is taken for dead.
STOPPED_S = 10.0
#: After that, until its caller has heard what came of it.
AFTERMATH_S = 5.0
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


@dataclass(slots=True)
class Scene:
    """A program that waits for its caller, and who runs it."""

    name: str
    execution: dcodex.Execution
    worker_id: str
    program: Process
    #: Of its caller, once it is over: what was raised, or None.
    outcome: queue.Queue[dcodex.DCodeXError | None]

    def watch(self) -> threading.Thread:
        """Wait for the end as its caller."""

        def wait() -> None:
            try:
                self.execution.result()
            except dcodex.DCodeXError as error:
                self.outcome.put(error)
            else:
                self.outcome.put(None)

        thread = threading.Thread(target=wait)
        thread.start()
        return thread


def begin(client: dcodex.Client) -> Scene:
    name = f"np-{os.urandom(5).hex()}"
    limits = dcodex.Limits(wall_s=60)
    execution = client.execute(_NAMED, args=[name], limits=limits, cache=False)
    worker_id = until_output(execution)
    (program,) = named(name)
    return Scene(name, execution, worker_id, program, queue.Queue())


def victims(farm: Farm, scene: Scene, role: Role) -> list[Process]:
    """Of a role with several processes, the one that this program depends on."""
    parts = parts_of(farm.process.pid)
    if role is Role.KEEPER:
        return [keeper_of(farm, scene.program)]
    if role is Role.WORKER:
        return [worker for worker in parts[role] if runs(worker, scene, parts[role])]
    return parts[role]


def runs(worker: Process, scene: Scene, workers: list[Process]) -> bool:
    """Whether it is this worker: they are forked in the order of their ids' numbers."""
    number = int(scene.worker_id.rpartition(".")[2])
    return workers.index(worker) == (number - 1) % len(workers)


#: What takes the programs that run along when it dies.
VITAL = (
    Role.WORKER,
    Role.KEEPER,
    Role.NURSERY,
    Role.HOST,
    Role.GATEWAY,
    Role.COORDINATOR,
)


@pytest.mark.parametrize("role", VITAL)
def test_the_caller_of_what_was_killed_hears_of_it_at_once_and_nothing_of_it_lives_on(
    farm: Farm, client: dcodex.Client, role: Role
) -> None:
    scene = begin(client)
    watcher = scene.watch()
    other = begin(client) if role in (Role.WORKER, Role.KEEPER) else None
    # All workers are taken, so these wait in the queue.
    with ThreadPoolExecutor(3) as pool:
        waiting = [
            pool.submit(client.run, f"print({n})", cache=False, timeout_s=PATIENCE_S)
            for n in range(3 if other else 0)
        ]
        for victim in victims(farm, scene, role):
            assert send(victim, signal.SIGKILL)
        killed = time.monotonic()
        error = scene.outcome.get(timeout=PATIENCE_S)
        told_s = time.monotonic() - killed
        print(f"{role.value}: {error!r} after {told_s * 1000:.0f} ms")
        # Whose keeper was killed is told so in a verdict, which the worker is still there to give.
        assert isinstance(error, dcodex.Unavailable) or (
            role is Role.KEEPER and error is None and is_our_fault(scene)
        )
        assert told_s < NEWS_S
        watcher.join(PATIENCE_S)
        wait_for(lambda: is_gone(scene.program), "end of the program")
        for number, call in enumerate(waiting):
            assert call.result(PATIENCE_S).text == f"{number}\n"
    if other is not None:
        assert other.execution.send_stdin("end\n")
        assert other.execution.result().ok
    until_served(client)


def is_our_fault(scene: Scene) -> bool:
    finished = scene.execution.finished
    return finished is not None and finished.verdict is dcodex.Verdict.SYSTEM_ERROR


@pytest.mark.parametrize("role", [*VITAL, Role.TEMPLATE])
def test_whatever_is_stopped_for_long_costs_its_own_programs_at_most(
    farm: Farm, client: dcodex.Client, role: Role
) -> None:
    scene = begin(client)
    watcher = scene.watch()
    stopped = victims(farm, scene, role)
    for victim in stopped:
        assert send(victim, signal.SIGSTOP)
    # The fault itself, as long as it is to last.
    threading.Event().wait(STOPPED_S)
    for victim in stopped:
        send(victim, signal.SIGCONT)
    scene.execution.send_stdin("end\n")
    error = scene.outcome.get(timeout=STOPPED_S + AFTERMATH_S)
    print(f"{role.value}: {error!r}")
    assert error is None or isinstance(error, dcodex.Unavailable)
    watcher.join(PATIENCE_S)
    wait_for(lambda: is_gone(scene.program), "end of the program")
    until_served(client)
    if error is not None and role is Role.WORKER:
        workers = next(client.farm(timeout_s=PATIENCE_S)).workers
        assert scene.worker_id not in {worker.id for worker in workers}


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
