"""Hosts that really lack something: what is said, what is refused, and what goes on without."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tests.environment import of_tests
from tests.sandbox.lacking import NOBODY
from tests.sandbox.workbench import Job, Seen

import dcodex
import dcodex_worker
from dcodex import Verdict
from dcodex.demo.preflight import missing_right
from dcodex.testing import Farm, quiet_flags
from dcodex_shared.guarantees import DISPENSABLE
from dcodex_worker.runtimes.python import SYSTEM_INTERPRETER

#: The doctor's trial, or a host's start, on a busy machine.
PATIENCE_S = 60.0
pytestmark = pytest.mark.timeout(180)

#: What can be taken away here. The other names need another kernel, or another boot.
DEGRADABLE = ("landlock", "keyring", "seccomp-listener", "cpu-share", "overlayfs")
#: What is taken away, the finding that tells, and a word of its text.
NEEDED = {
    "memory": ("cgroup", "memory"),
    "pids": ("cgroup", "pids"),
    "user-namespaces": ("namespaces", "user (EPERM, CONFIG_USER_NS)"),
    "pivot_root": ("mounts", "pivot_root fails with EPERM"),
    "seccomp": ("seccomp", "a filter is refused"),
    "root": ("rights", f"user {NOBODY}, not root"),
    "CAP_NET_ADMIN": ("rights", "root without CAP_NET_ADMIN"),
}


@pytest.fixture(scope="module", autouse=True)
def _whole() -> None:
    """A machine that lacks nothing by itself."""
    right = missing_right()
    if right:
        pytest.skip(right)
    mounts = Path("/proc/self/mounts").read_text()
    if not re.search(r" cgroup [^ ]*\bmemory\b", mounts):
        pytest.skip("needs cgroup version 1: a controller of version 2 cannot be unmounted alone")


def _command(lack: str, module: str, *arguments: str) -> list[str]:
    start = [sys.executable, "-P", "-m"]
    return [*start, "tests.sandbox.lacking", lack, *start, module, *arguments]


def _doctor(lack: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        _command(lack, "dcodex_worker.doctor", "--json", "--preload=", *arguments),
        env=of_tests(),
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    return done.returncode, {finding["name"]: finding for finding in answer["findings"]}


@pytest.mark.parametrize("name", DEGRADABLE)
def test_a_lacking_guarantee_is_named_with_the_way_to_get_it_and_the_way_without(name: str) -> None:
    status, findings = _doctor(name)
    finding = findings[name]
    assert status == 1
    assert finding["required"], finding
    assert not finding["ok"], finding
    assert f"--allow-degraded={name}" in finding["remedy"]
    others = [f for f in findings.values() if f["required"] and not f["ok"] and f is not finding]
    assert not others, others


@pytest.mark.parametrize("name", DEGRADABLE)
def test_programs_run_without_a_guarantee_that_the_operator_does_without(name: str) -> None:
    status, findings = _doctor(name, f"--allow-degraded={name}")
    assert status == 0, findings
    assert findings["trial"]["ok"], findings
    assert not findings[name]["ok"]
    assert DISPENSABLE[name] in findings[name]["text"]


@pytest.mark.parametrize("private", ["/tmp", "/var/tmp"])
def test_an_interpreter_below_a_private_place_is_refused_with_the_reason(private: str) -> None:
    with tempfile.TemporaryDirectory(prefix="dcodex-test-", dir=private) as venv:
        subprocess.run([SYSTEM_INTERPRETER, "-m", "venv", "--without-pip", venv], check=True)
        status, findings = _doctor("CAP_SYS_TIME", f"--python_venv={venv}")
    assert status == 1
    assert f"{venv} is not shown to programs" in findings["python"]["text"], findings
    assert "dcodex runtime make" in findings["python"]["remedy"]


def test_allowing_another_guarantee_to_lack_does_not_help() -> None:
    status, findings = _doctor("landlock", "--allow-degraded=keyring,overlayfs")
    assert status == 1, findings


@pytest.mark.parametrize("lack", NEEDED)
def test_what_cannot_be_done_without_is_named_with_the_way_to_get_it(lack: str) -> None:
    name, text = NEEDED[lack]
    status, findings = _doctor(lack, f"--allow-degraded={','.join(DISPENSABLE)}")
    assert status == 1, findings
    assert "trial" not in findings
    assert findings[name]["required"], findings
    assert not findings[name]["ok"], findings
    assert text in findings[name]["text"], findings[name]
    assert findings[name]["remedy"], findings[name]


@pytest.mark.parametrize("lack", ["landlock", "memory", "user-namespaces"])
def test_a_host_that_lacks_something_does_not_start_and_says_what(
    lack: str, tmp_path: Path
) -> None:
    done = _start(lack, tmp_path)
    _, said = done.communicate(timeout=PATIENCE_S)
    assert done.returncode == 1
    finding = NEEDED.get(lack, (lack, ""))[0]
    assert f"this machine cannot isolate programs lacks={finding} " in said, said
    assert len(said.splitlines()) == 1, said


def test_a_host_that_is_not_root_says_so_in_one_line_and_touches_nothing(tmp_path: Path) -> None:
    done = _start("root", tmp_path / "run")
    _, said = done.communicate(timeout=PATIENCE_S)
    assert done.returncode == 1
    assert len(said.splitlines()) == 1, said
    assert "lacks=rights" in said
    assert f"user {NOBODY}, not root" in said
    assert "start the worker host as root" in said
    assert not list(tmp_path.iterdir())


def test_a_wrong_name_is_refused_in_one_line_that_names_the_right_ones(tmp_path: Path) -> None:
    for wrong in ("landlok", "seccomp", "memory"):
        host = _start("CAP_NET_ADMIN", tmp_path, f"--allow-degraded={wrong}")
        _, said = host.communicate(timeout=PATIENCE_S)
        assert host.returncode == 2
        assert len(said.splitlines()) == 1, said
        assert "expected guarantees that can be done without" in said
        assert f"got {wrong!r}" in said
        assert ", ".join(DISPENSABLE) in said


def test_a_degraded_host_says_so_in_its_log_and_to_prometheus(tmp_path: Path) -> None:
    with _start("landlock", tmp_path, "--allow-degraded=landlock,keyring") as host:
        try:
            assert host.stderr is not None
            said = _read_until(host.stderr.fileno(), rb"serving metrics .*port=(\d+)")
            assert "degraded: going on without guarantee=landlock" in said
            assert "guarantee=keyring" not in said
            port = re.findall(r"serving metrics .*port=(\d+)", said)[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
                figures = page.read().decode()
            assert 'dcodex_host_degraded{guarantee="landlock"} 1.0' in figures
            assert "keyring" not in figures
        finally:
            host.terminate()


def _start(lack: str, runtime_dir: Path, *arguments: str) -> subprocess.Popen[str]:
    """A worker host, without a coordinator."""
    return subprocess.Popen(
        _command(
            lack,
            "dcodex_worker",
            f"--runtime_dir={runtime_dir}",
            "--languages=python",
            "--preload=",
            *arguments,
        ),
        env=of_tests(),
        stderr=subprocess.PIPE,
        text=True,
    )


def _read_until(fd: int, pattern: bytes) -> str:
    said, deadline = b"", time.monotonic() + PATIENCE_S
    while not re.search(pattern, said):
        assert select.select([fd], [], [], deadline - time.monotonic())[0], said
        piece = os.read(fd, 4096)
        assert piece, said
        said += piece
    return said.decode()


#: Step of arming to the system calls without which it fails.
STEPS = {
    "namespaces": (308,),  # setns
    "session": (112,),  # setsid
    "keyring": (250,),  # keyctl
    "credentials": (116,),  # setgroups
    "landlock": (446,),  # landlock_restrict_self
    "pidfds": (434,),  # pidfd_open
}
#: init as one that fails at once, and is gone before the list that made it goes on.
STILLBORN = """
_branch = Errand.branch
def _stillborn(self, flags, life, failed, told=0):
    is_init = flags & kernel.CLONE_PARENT_SETTID
    if is_init:
        life = Errand()
        life.call(Number.EXIT_GROUP, 1)
    place = _branch(self, flags, life, failed, told)
    if is_init:
        self.call(Number.WAIT4, -1, 0, 0, 0, result=WHATEVER)
    return place
Errand.branch = _stillborn
"""


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Neither below /tmp nor below /work, which sandboxes have for their own."""
    path = Path(f"/srv/dcodex-hosts-{os.getpid()}")
    for name in ("extra", "shown"):
        (path / name).mkdir(parents=True)
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_is_named_with_its_errno(step: str, scratch: Path) -> None:
    seen = _on_the_workbench(scratch, STEPS[step], Job(file="identity.py"))
    assert seen.setup == f"{step}:EPERM", seen


def test_an_init_that_dies_at_once_is_a_failure_with_its_reason(
    scratch: Path, tmp_path: Path
) -> None:
    shutil.copytree(Path(dcodex_worker.__file__).parent, tmp_path / "dcodex_worker")
    with open(tmp_path / "dcodex_worker/sandbox/init.py", "a") as file:
        file.write(STILLBORN)
    seen = _on_the_workbench(scratch, (), Job(file="identity.py"), code=tmp_path)
    assert seen.setup == "fork:ENOMEM", seen


def test_a_host_whose_own_limits_are_lower_runs_programs_with_those(scratch: Path) -> None:
    low = ["prlimit", "--memlock=65536", "--nofile=200", "--msgqueue=0", "--sigpending=100"]
    seen = _on_the_workbench(scratch, (), Job(file="setrlimit_up.py", open_files=1000), low)
    assert seen.text.startswith("CONTAINED"), seen
    assert "RLIMIT_MEMLOCK=65536,65536" in seen.text, seen
    assert "RLIMIT_NOFILE=200,200" in seen.text, seen


def _on_the_workbench(
    folder: Path,
    blocked: tuple[int, ...],
    job: Job,
    before: list[str] | None = None,
    code: Path | None = None,
) -> Seen:
    """code: a folder with a worker's code other than this one."""
    plan = {"scratch": str(folder), "jobs": [asdict(job)], "blocked": blocked}
    done = subprocess.run(
        [*(before or ()), sys.executable, "-P", "-m", "tests.sandbox.workbench", json.dumps(plan)],
        env=of_tests(*([code] if code else [])),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.stdout, done.stderr
    return Seen(**json.loads(done.stdout))


@pytest.fixture(scope="module")
def small_farm() -> Iterator[Farm]:
    """One whose sandboxes have room for half of a request that is allowed."""
    with Farm(*quiet_flags(1), "--languages=python", "--preload=", "--tmpfs_bytes=1MB") as farm:
        yield farm


def test_a_failing_step_is_whole_in_the_log_and_a_system_error_to_the_caller(
    small_farm: Farm,
) -> None:
    with dcodex.connect(small_farm.target) as client:
        result = client.run(
            files={"main.py": "print(1)", "large": b"x" * (2 << 20)}, cache=False, timeout_s=30.0
        )
        assert result.verdict is Verdict.SYSTEM_ERROR, result
        assert result.message == "the sandbox could not be set up"
        after = client.run("print(2)", cache=False, timeout_s=30.0)
        assert after.stdout == b"2\n", after
    log = small_farm.log_tail(50)
    assert "a sandbox failed" in log, log
    assert "error=files: ENOSPC, No space left on device" in log, log
    story = repr(result)
    for detail in ("files", "ENOSPC", "space", "tmpfs", str(small_farm.runtime_dir)):
        assert detail not in story, story
