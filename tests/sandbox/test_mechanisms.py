"""Each mechanism is what stops its attack: taken out, the attack gets through.

The mechanisms are taken out in copies of the worker's code (mechanisms.py), never by a switch.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from tests.environment import of_tests
from tests.sandbox.corpus import ATTACKS_DIR
from tests.sandbox.mechanisms import CHANGES, DEFENCES, REMOVALS, SCRATCH, Defence
from tests.sandbox.workbench import CANARY, Job, Seen

import dcodex_worker
from dcodex.demo.preflight import missing_right

#: Processes with a worker's code under way at one time.
WIDTH = 2
#: All jobs of one set of removals, each of which has a patience of its own.
BENCH_S = 200.0
#: Of two programs, one of which has six processes: the other one's share, where groups have theirs.
FAIR = 0.5
pytestmark = pytest.mark.timeout(300)

Removed = frozenset[str]
#: Linux capability numbers.
CAPABILITIES = {"SYS_RESOURCE": 24}
_MAIN = 'if __name__ == "__main__":'


def _cases(defence: Defence) -> dict[str, tuple[Removed, str]]:
    """By the layer that is left ("" for none): what is taken out, and what is then to be seen."""
    everything = frozenset(defence.layers) | frozenset(defence.aside)
    cases = {"": (everything, defence.through)}
    for layer, stopped in defence.layers.items():
        cases[layer] = (everything - {layer}, stopped)
    return cases


CASES = [
    pytest.param(defence, layer, id=f"{defence.name}-{f'only {layer}' if layer else 'nothing'}")
    for defence in DEFENCES
    for layer in _cases(defence)
]


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A directory outside /tmp and /work, which sandboxes have for their own."""
    right = missing_right()
    if right:
        pytest.skip(right)
    path = Path(f"/srv/dcodex-test-{os.getpid()}")
    for name in ("extra", "shown", "hidden"):
        (path / name).mkdir(parents=True)
    (path / "extra/file").write_text("shared")
    (path / "hidden/secret").write_text(CANARY)
    (path / "shown/for-root").write_text(CANARY)
    (path / "shown/for-root").chmod(0o600)
    (path / "shown/open-to-all").write_text("")
    (path / "shown/open-to-all").chmod(0o666)
    (path / "shown").chmod(0o777)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def executables(scratch: Path) -> dict[str, str]:
    """The attacks that are written in C, compiled."""
    made = {}
    for name in {d.job.file for d in DEFENCES if d.job.file.endswith(".c")}:
        if any(d.job.compile_cpu_s for d in DEFENCES if d.job.file == name):
            continue
        made[name] = str(scratch / f"hidden/{name}.out")
        command = ["gcc", "-O1", "-w", "-o", made[name], str(ATTACKS_DIR / name)]
        subprocess.run(command, check=True, timeout=60)
    setuid = scratch / "shown/setuid-root"
    shutil.copy(made["setuid_root.c"], setuid)
    setuid.chmod(0o4755)
    return made


@pytest.fixture(scope="session")
def seen(
    scratch: Path,
    executables: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[[Removed, Job], Seen]]:
    """Runs a job without these mechanisms, with all others that are wanted without the same."""
    wanted: dict[Removed, list[Job]] = {}
    for item in request.session.items:
        parameters = getattr(item, "callspec", None)
        if parameters is not None and "layer" in parameters.params:
            defence = parameters.params["defence"]
            removed, _ = _cases(defence)[parameters.params["layer"]]
            jobs = wanted.setdefault(removed, [])
            if defence.job not in jobs:
                jobs.append(defence.job)

    def do(removed: Removed, jobs: list[Job], folder: Path) -> dict[Job, Seen]:
        code = _code_without(removed, folder)
        found = _run(code, scratch, [_fill(one, scratch, executables) for one in jobs])
        return dict(zip(jobs, found, strict=True))

    with ThreadPoolExecutor(WIDTH) as pool:
        # Started in the order in which the tests ask.
        done = {
            removed: pool.submit(do, removed, jobs, tmp_path_factory.mktemp("code"))
            for removed, jobs in wanted.items()
        }
        yield lambda removed, job: done[removed].result(BENCH_S)[job]
        for future in done.values():
            future.cancel()


def _fill(job: Job, scratch: Path, executables: dict[str, str]) -> Job:
    return replace(
        job,
        args=tuple(arg.replace(SCRATCH, str(scratch)) for arg in job.args),
        locks=job.locks.replace(SCRATCH, str(scratch)),
        executable=executables.get(job.file, ""),
    )


def _code_without(removed: Removed, folder: Path) -> Path:
    """A copy of the worker's code without these mechanisms."""
    whole = Path(dcodex_worker.__file__).parent
    package = folder / "dcodex_worker"
    shutil.copytree(whole, package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in sorted(removed):
        for module, text in (REMOVALS | CHANGES)[name].items():
            path = package / module
            before, main, after = path.read_text().partition(_MAIN)
            path.write_text(f"{before}\n{text}\n{main}{after}")
    return folder


def _run(code: Path, scratch: Path, jobs: list[Job]) -> list[Seen]:
    plan = json.dumps({"scratch": str(scratch), "jobs": [asdict(job) for job in jobs]})
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tests.sandbox.workbench", plan],
        env=of_tests(code, CANARY=CANARY),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BENCH_S,
        check=False,
    )
    found = [Seen(**json.loads(line)) for line in done.stdout.splitlines()]
    assert len(found) == len(jobs), done.stderr
    return found


def _story(seen: Seen) -> str:
    """What came of a job, as the patterns of the table have it."""
    return (
        f"{seen.verdict} exit={seen.exit_code} setup={seen.setup}; "
        f"{'unended; ' if seen.unended else ''}free={seen.lock_free}; "
        f"{'fair' if seen.share > FAIR else 'unfair'}; text={len(seen.text)}; "
        f"left={','.join(sorted(set(seen.left)))}; left at end={','.join(seen.left_at_end)}; "
        f"collected={seen.collected}; {seen.message}\n{seen.text[:8000]}\n"
    )


@pytest.mark.parametrize(("defence", "layer"), CASES)
def test_an_attack_gets_through_exactly_when_none_of_its_layers_is_in_place(
    defence: Defence, layer: str, seen: Callable[[Removed, Job], Seen]
) -> None:
    if defence.needs and not _has(defence.needs):
        pytest.skip(f"needs CAP_{defence.needs}: the host's own limit is as low, and stays")
    removed, pattern = _cases(defence)[layer]
    story = _story(seen(removed, defence.job))
    assert re.search(pattern, story), story
    if layer:
        assert not re.search(defence.through, story), story


def _has(name: str) -> bool:
    effective = re.search(r"CapEff:\t(\w+)", Path("/proc/self/status").read_text())
    return bool(effective and int(effective[1], 16) >> CAPABILITIES[name] & 1)


def test_every_mechanism_stops_something() -> None:
    used = {layer for defence in DEFENCES for layer in defence.layers}
    assert used == set(REMOVALS)
