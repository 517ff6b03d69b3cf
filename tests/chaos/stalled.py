"""Readers of endless output that stop reading: the program must block, and nothing may grow."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.parts import Process, Role, parts_of, rss_bytes

import dcodex
from dcodex import Limits, Stdout
from dcodex.testing import Farm, quiet_flags

MIB = 1 << 20
#: What a process may grow by, whoever stops reading.
GROWTH_MOST_BYTES = 10 * MIB
#: Between looks at the memory.
LOOK_S = 1.0
#: For a worker to be had and a program's first output to come, on a busy machine.
PATIENCE_S = 120.0
WATCHED = (Role.GATEWAY, Role.COORDINATOR, Role.HOST, Role.WORKER)

_ENDLESS = "import os\npiece = b'x' * 65536\nwhile True: os.write(1, piece)\n"


def sizes(farm: Farm) -> dict[tuple[Role, Process], int]:
    """Memory of each watched process of the farm, in bytes."""
    found = {}
    for role, processes in parts_of(farm.process.pid).items():
        if role in WATCHED:
            for process in processes:
                # One that has just ended is not asked.
                with contextlib.suppress(OSError):
                    found[role, process] = rss_bytes(process.pid)
    return found


def stall(client: dcodex.Client, seconds: float) -> dcodex.Execution:
    """A stream of endless output of which one event was read, and no more will be."""
    limits = Limits(output_bytes=1 << 30, cpu_s=30.0, wall_s=seconds + 2 * PATIENCE_S)
    execution = client.execute(_ENDLESS, limits=limits, cache=False, stdin_complete=True)
    for event in execution:
        if isinstance(event, Stdout):
            return execution
    raise AssertionError(f"it ended: {execution.finished}")


def growth(farm: Farm, readers: int, seconds: float, say: Callable[[str], None]) -> dict[str, int]:
    """The most that each process grew by while so many readers stalled, in bytes by its name.

    Counted from before they came: their connections, windows and all that gRPC holds for them
    are in it.
    """
    never = threading.Event()
    with dcodex.connect(farm.target) as client:
        # What any first program makes a process load is not the readers'.
        client.run("print(1)", cache=False).check()
    first = sizes(farm)
    most = dict(first)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(dcodex.connect(farm.target)) for _ in range(readers)]
        with ThreadPoolExecutor(readers) as threads:
            opened = list(threads.map(lambda client: stall(client, seconds), clients))
        for execution in opened:
            stack.callback(execution.cancel)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            never.wait(LOOK_S)
            for key, size in sizes(farm).items():
                most[key] = max(most.get(key, 0), size)
                first.setdefault(key, size)
        for execution in opened:
            assert execution.finished is None
    grown = {}
    for (role, process), size in most.items():
        name = f"{role.value} {process.pid}"
        grown[name] = size - first[role, process]
        say(f"{name:<20} from {first[role, process] / MIB:6.1f} MiB, at most {size / MIB:6.1f} MiB")
    return grown


def spacious(readers: int) -> Farm:
    """A farm that lets so many readers stall for long."""
    flags = (*quiet_flags(readers), f"--slots={readers}", "--max_wall_limit=3600s")
    return Farm(*flags, "--max_output_limit=1GB", "--preload=")


def hold(readers: int, seconds: float, say: Callable[[str], None]) -> int:
    """A farm of its own, these readers, this long; returns the exit status."""
    with spacious(readers) as farm:
        grown = growth(farm, readers, seconds, say)
    worst = max(grown.values())
    say(f"{readers} stalled readers for {seconds:g} s: at most {worst / MIB:.1f} MiB of growth")
    return 0 if worst <= GROWTH_MOST_BYTES else 1
