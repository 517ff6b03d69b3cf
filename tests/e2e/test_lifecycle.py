"""`dcodex up` from its first line to nothing left; what dies is replaced, what runs is drained."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import dcodex
from dcodex import Limits, Stdout
from dcodex.demo.leftovers import left_by, processes
from dcodex.testing import Farm, quiet_flags
from dcodex_gateway.tokens import new_token

PATIENCE_S = 60.0


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Look again and again, since nobody tells: processes and files of others."""
    deadline = time.monotonic() + PATIENCE_S
    never = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        never.wait(0.02)


def children(farm: Farm) -> dict[str, int]:
    """Pid by module of the farm's three parts."""
    found = {}
    pids = Path(f"/proc/{farm.process.pid}/task/{farm.process.pid}/children").read_text()
    for pid in pids.split():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        for word in words:
            if word.startswith(b"dcodex_"):
                found[word.decode()] = int(pid)
    return found


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture
def own_farm() -> Iterator[Farm]:
    with Farm(*quiet_flags(2)) as farm:
        yield farm


def test_it_says_when_it_is_ready_and_for_what(own_farm: Farm) -> None:
    assert re.fullmatch(r"127\.0\.0\.1:\d+", own_farm.target)
    assert re.fullmatch(r"2 workers: .*python \d+\.\d+\.\d+.*", own_farm.words)
    assert set(children(own_farm)) == {"dcodex_coordinator", "dcodex_gateway", "dcodex_worker"}
    with dcodex.connect(own_farm.target) as client:
        assert client.run("print(1)").check().text == "1\n"


def test_its_own_threads_keep_to_the_cpus_that_they_are_given_and_programs_have_all() -> None:
    allowed = os.sched_getaffinity(0)
    one = min(allowed)
    flood = "import sys; sys.stdout.write('x' * (8 << 20)); sys.stdin.read()"
    with Farm(*quiet_flags(2), f"--service_cpus={one}") as farm, dcodex.connect(farm.target) as c:
        result = c.run("import os; print(*os.sched_getaffinity(0))", cache=False).check()
        parts = children(farm)
        workers = [
            pid
            for pid in map(int, filter(str.isdecimal, os.listdir("/proc")))
            if _command(pid).strip() == "dcodex-worker" and _began_by(pid, parts["dcodex_worker"])
        ]
        services = [_cpus_of(parts[name]) for name in ("dcodex_gateway", "dcodex_coordinator")]
        at_rest = [_cpus_of(pid) for pid in workers]
        with c.execute(flood, limits=Limits(output_bytes=16 << 20)) as execution:
            received = 0
            for event in execution:
                if isinstance(event, Stdout):
                    received += len(event.data)
                    if received == 8 << 20:
                        in_bulk = [_cpus_of(pid) for pid in workers]
                        execution.close_stdin()
        wait_for(lambda: [_cpus_of(pid) for pid in workers] == at_rest, "the way back")
    assert set(map(int, result.text.split())) == allowed
    assert services == [{one}] * 2
    assert len(workers) >= 2
    assert at_rest == [{one}] * len(workers)
    # Who passes a lot on leaves that CPU, where there is another.
    assert sorted(map(sorted, in_bulk)) == sorted(
        map(sorted, [allowed - {one} or {one}, *at_rest[1:]])
    )


def _cpus_of(pid: int) -> set[int]:
    """The CPUs of all its threads, which are the same for each."""
    each = [os.sched_getaffinity(int(task)) for task in os.listdir(f"/proc/{pid}/task")]
    assert all(cpus == each[0] for cpus in each)
    return each[0]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""


def _began_by(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return False


def test_it_leaves_nothing_behind(tmp_path: Path) -> None:
    others, temporary = processes(), set(os.listdir(tempfile.gettempdir()))
    # A cache of its own: headers are still being made when it is stopped.
    with Farm(*quiet_flags(2), f"--compile_cache_dir={tmp_path}") as farm:
        members = processes() - others
        assert len(members) > 3
        with dcodex.connect(farm.target) as client:
            client.run("import os\nfor _ in range(3): os.fork()")
            running = client.execute("import time; print('on'); time.sleep(60)")
            assert any(isinstance(event, Stdout) for event in running)
            running.cancel()
        assert farm.stop() == 0, farm.log_tail()
        assert not farm.runtime_dir.exists()
        host, port = farm.target.split(":")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)), PATIENCE_S)
    assert left_of(members, others) == []
    # As compilers call them.
    left = set(os.listdir(tempfile.gettempdir())) - temporary
    assert [name for name in left if re.fullmatch(r"cc\w{6}(\.\w+)?", name)] == []


def left_of(members: frozenset[int], others: frozenset[int]) -> list[str]:
    """What is left of a farm; processes that other tests' farms have meanwhile are not."""
    return [
        line
        for line in left_by(members)
        if not (line.startswith("process ") and int(line.split()[1]) in others)
    ]


def test_sigterm_lets_what_runs_finish_and_takes_nothing_new(own_farm: Farm) -> None:
    source = "print('on')\nprint('got', input())"
    with dcodex.connect(own_farm.target) as client:
        execution = client.execute(source)
        for event in execution:
            if isinstance(event, Stdout):
                break
        own_farm.process.send_signal(signal.SIGTERM)
        # It waits for the program, which waits for us; meanwhile nobody new gets in.
        refused = None
        while refused is None:
            try:
                client.run("print(1)", cache=False)
            except dcodex.Unavailable as error:
                refused = error
        assert own_farm.process.poll() is None
        execution.send_stdin("it\n")
        assert execution.result().check().text.strip() == "got it"
    # Not stop(): a second signal would mean that it is not to wait.
    assert own_farm.process.wait(PATIENCE_S) == 0, own_farm.log_tail()


#: Stages of a farm's start, seen from outside: a process a part, which then becomes it.
STAGES: dict[str, Callable[[Path, list[bytes]], bool]] = {
    "claimed": lambda directory, _: (directory / "up.lock").exists(),
    "first part": lambda _, parts: len(parts) >= 1,
    "last part": lambda _, parts: len(parts) >= 3,
    "one has become itself": lambda _, parts: any(b"child.py" not in part for part in parts),
    "all have": lambda _, parts: len(parts) >= 3 and not any(b"child.py" in p for p in parts),
    "listens": lambda directory, _: (directory / "gateways.sock").exists(),
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
@pytest.mark.parametrize("stage", STAGES)
def test_a_farm_that_is_told_to_end_while_it_starts_ends_well(
    stage: str, number: signal.Signals, tmp_path: Path
) -> None:
    directory = tmp_path / "run"
    with (tmp_path / "log").open("wb") as log:
        up = subprocess.Popen(
            [sys.executable, "-P", "-m", "dcodex", "up", "--port=0", f"--runtime_dir={directory}"],
            stdout=log,
            stderr=log,
            process_group=0,
        )
    try:
        while not STAGES[stage](directory, command_lines_below(up.pid)):
            assert up.poll() is None
        up.send_signal(number)
        status = up.wait(PATIENCE_S)
    finally:
        up.kill()
        up.wait()
    said = (tmp_path / "log").read_text()
    assert (status, "Traceback" in said, "while stopping" in said) == (0, False, False), said
    assert not directory.exists()


def command_lines_below(pid: int) -> list[bytes]:
    """Of each child that has one of its own."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        line = Path(f"/proc/{child}/cmdline").read_bytes()
        if b"dcodex_" in line:
            found.append(line)
    return found


@pytest.mark.parametrize("module", ["dcodex_gateway", "dcodex_coordinator", "dcodex_worker"])
def test_a_part_that_is_killed_is_replaced(own_farm: Farm, module: str) -> None:
    before = children(own_farm)
    os.kill(before[module], signal.SIGKILL)
    wait_for(lambda: children(own_farm).get(module, before[module]) != before[module], "restart")
    answered = False
    with dcodex.connect(own_farm.target) as client:
        deadline = time.monotonic() + PATIENCE_S
        while not answered:
            try:
                answered = client.run("print(1)", cache=False, timeout_s=10).ok
            except dcodex.DCodeXError:
                assert time.monotonic() < deadline
    others = {name: pid for name, pid in children(own_farm).items() if name != module}
    assert others == {name: pid for name, pid in before.items() if name != module}
    assert own_farm.stop() == 0, own_farm.log_tail()


def test_when_up_itself_is_killed_its_parts_end_too() -> None:
    others = processes()
    farm = Farm(*quiet_flags(2))
    try:
        members = processes() - others
        parts = children(farm)
        farm.process.kill()
        farm.process.wait(PATIENCE_S)
        for name, pid in parts.items():
            wait_for(lambda pid=pid: is_gone(pid), f"end of {name}")  # type: ignore[misc] # bound now
        # Looked at until nothing is left, so that a failure shows what is.
        never = threading.Event()
        for _ in range(500):
            if not left_of(members, others):
                break
            never.wait(0.02)
        assert left_of(members, others) == [], farm.log_tail()
    finally:
        farm.stop()
        farm.remove()


_OWNER = """
import sys
from dcodex.testing import Farm, quiet_flags
farm = Farm(*quiet_flags(2))
print(farm.process.pid, farm.directory, flush=True)
sys.stdin.read()
"""


def test_a_farm_for_tests_ends_with_the_process_that_owns_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        pid, directory = owner.stdout.readline().split()
        owner.kill()
    wait_for(lambda: is_gone(int(pid)), "end of the farm")
    assert not (Path(directory.decode()) / "run").exists()
    shutil.rmtree(directory.decode())


def up(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "dcodex", "up", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)


def test_a_second_farm_in_the_same_directory_is_refused_in_one_line(farm: Farm) -> None:
    done = up("--port=0", f"--runtime_dir={farm.runtime_dir}")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"dcodex: another farm (pid {farm.process.pid}) uses ")
    assert done.stderr.count("\n") == 1


def test_a_port_in_use_is_told_in_one_line(farm: Farm, tmp_path: Path) -> None:
    port = farm.target.rpartition(":")[2]
    done = up(f"--port={port}", f"--runtime_dir={tmp_path}/run")
    assert done.returncode == 1
    assert done.stderr == (
        f"dcodex: cannot serve on 127.0.0.1:{port}: address already in use; "
        "choose another --port (0: any free one)\n"
    )
    assert not (tmp_path / "run").exists()


def test_a_wrong_setting_is_told_in_one_line_with_status_2() -> None:
    done = up("--min_workers=9", "--max_workers=3")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "min_workers" in done.stderr


def test_two_gateways_share_a_port() -> None:
    with Farm(*quiet_flags(2), "--gateways=2") as farm:
        for _ in range(12):
            with dcodex.connect(farm.target) as client:
                assert client.run("print(1)").check().text == "1\n"
        assert farm.stop() == 0, farm.log_tail()


def test_the_fixed_flags_are_taken_with_either_spelling() -> None:
    flags = [
        "--min_workers=2",
        "--max-workers=3",
        "--scale_up_latency_ms=50",
        "--sandbox-cpu-limit=500ms",
        "--sandbox_memory_limit=512MB",
        "--sandbox_wall_limit=5s",
        "--sandbox-output-limit=1KB",
    ]
    with Farm(*flags, "--log_level=warning") as farm, dcodex.connect(farm.target) as client:
        limits = client.languages()[0].default_limits
        assert limits.cpu_s == 0.5
        assert limits.memory_bytes == 512 << 20
        assert limits.wall_s == 5
        assert limits.output_bytes == 1024
        result = client.run("while True: pass", limits=Limits())
        assert result.verdict is dcodex.Verdict.CPU_LIMIT


def test_a_farm_behind_tls_and_tokens_lets_in_who_has_both(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is missing: apt-get install openssl")
    certificate, key, tokens = (tmp_path / name for name in ("c.pem", "k.pem", "tokens.toml"))
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    token, digest = new_token()
    tokens.write_text(f'[[token]]\ntenant = "ci"\nsha256 = "{digest}"\n')
    flags = [f"--tls_certificate={certificate}", f"--tls_key={key}", f"--tokens={tokens}"]
    tls = dcodex.TLS(ca=certificate)
    with Farm(*quiet_flags(2), *flags) as farm:
        with dcodex.connect(farm.target, token=token, tls=tls) as client:
            assert client.run("print(1)").check().text == "1\n"
        with (
            dcodex.connect(farm.target, tls=tls) as client,
            pytest.raises(dcodex.Unauthenticated),
        ):
            client.run("print(1)")
        with dcodex.connect(farm.target) as client, pytest.raises(dcodex.Unavailable):
            client.run("print(1)")
        assert farm.stop() == 0, farm.log_tail()
