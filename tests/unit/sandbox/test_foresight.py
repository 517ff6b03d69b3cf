"""What a module's use will write is there when a fork has it provided."""

from __future__ import annotations

import os
import resource
import sys
import types

from tests.unit.sandbox.alone import alone

from dcodex_worker.template import rehearsal
from dcodex_worker.template.foresight import Foresight

PAGES = 256


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _in_a_fork(then: str, foresight: Foresight | None) -> int:
    """How many faults the code takes in a fork, after the provision if there is one."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = compile(then, "use", "exec")
        if foresight is not None:
            foresight.provide()
        before = _faults()
        exec(code, {})
        os.write(writer, str(_faults() - before).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        said = file.read()
    assert os.waitpid(child, 0)[1] == 0
    return int(said)


@alone
def test_a_use_takes_few_faults_when_its_pages_were_provided() -> None:
    module = types.ModuleType("large")
    module.__dict__["memory"] = bytearray(PAGES * rehearsal.PAGE_BYTES)
    sys.modules["large"] = module
    rehearsal.USES["large"] = f"large.memory[::{rehearsal.PAGE_BYTES}] = b'x' * {PAGES}"
    use = rehearsal.use_of("large")
    tasks = os.open("/proc/self/task", os.O_RDONLY | os.O_DIRECTORY)
    foresight = Foresight("large", tasks)
    assert _in_a_fork(use, None) >= PAGES
    assert _in_a_fork(use, foresight) < PAGES // 4
    # What it found out it has not done here.
    assert not any(module.memory)


@alone
def test_who_cannot_be_looked_at_has_nothing_provided() -> None:
    rehearsal.USES["json"] = "raise SystemExit"
    tasks = os.open("/proc/self/task", os.O_RDONLY | os.O_DIRECTORY)
    Foresight("json", tasks).provide()
