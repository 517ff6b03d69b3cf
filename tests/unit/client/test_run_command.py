"""`dcodex run` as a process, against a service on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PATIENCE_S = 30.0


def command(target: str, *arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "dcodex", "run", "--target", target, *arguments]


def run(
    target: str, *arguments: str, stdin: bytes | None = None, **options: Any
) -> subprocess.CompletedProcess[bytes]:
    source = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
    return subprocess.run(
        command(target, *arguments), capture_output=True, timeout=PATIENCE_S, **source, **options
    )


@pytest.fixture
def program(tmp_path: Path) -> Any:
    def write(text: str, name: str = "main.py") -> str:
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def test_output_and_exit_code_are_the_programs(target: str, program: Any) -> None:
    done = run(target, program("out yes\nerr no\nexit 42"))
    assert (done.stdout, done.stderr, done.returncode) == (b"yes", b"no", 42)


@pytest.mark.parametrize(
    ("verdict", "status", "words"),
    [
        ("CPU_LIMIT", 137, b"cpu limit: used 1.01 s of 1 s"),
        ("MEMORY_LIMIT", 137, b"memory limit"),
        ("COMPILE_ERROR", 1, b"compile error"),
        ("SYSTEM_ERROR", 125, b"system error"),
        ("CANCELLED", 130, b"cancelled"),
        ("SIGNALED", 137, b"used"),
    ],
)
def test_an_end_by_force_has_its_status_and_one_line(
    target: str, program: Any, verdict: str, status: int, words: bytes
) -> None:
    done = run(target, program(f"out x\nend {verdict}"))
    assert done.returncode == status
    assert done.stderr.startswith(b"dcodex: " + words)
    assert done.stderr.count(b"\n") == 1


def test_arguments_after_the_file_are_the_programs(target: str, program: Any) -> None:
    assert run(target, program("args"), "--cpu", "-x", "y").stdout == b"--cpu -x y"


def test_flags_describe_the_program(target: str, program: Any, farm: Any) -> None:
    script = program("env MODE", "tool.sh")
    os.chmod(script, 0o755)
    flags = ["--cpu", "500ms", "--memory", "256MB", "--output", "1KB", "--no-cache", "--batch"]
    flags += ["--file", f"{script}=bin/tool", "--env", "MODE=fast", "--language", "py"]
    done = run(target, *flags, program("files\nenv MODE", "x.txt"))
    assert done.stdout == b"x.txt:0 bin/tool:755fast"
    (start,) = farm.starts
    assert (start.limits.cpu_s, start.limits.memory_bytes) == (0.5, 256 << 20)
    assert (start.limits.output_bytes, start.cache, start.priority) == (1024, 2, 2)


def test_a_live_pipe_is_passed_on_as_it_comes(target: str, program: Any) -> None:
    with subprocess.Popen(
        command(target, program("out ready\nread")), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.read(5) == b"ready"
        process.stdin.write(b"hello")
        process.stdin.close()
        assert process.stdout.read() == b"<hello>"
        assert process.wait(PATIENCE_S) == 0


def test_a_short_file_goes_with_the_request(
    target: str, program: Any, farm: Any, tmp_path: Path
) -> None:
    (tmp_path / "in").write_bytes(b"short")
    done = run(target, "--stdin", str(tmp_path / "in"), program("read"))
    assert done.stdout == b"<short>"
    assert farm.starts[0].stdin_complete


def test_the_program_itself_can_come_from_stdin(target: str) -> None:
    assert run(target, "--language", "python", "-", stdin=b"out x\nread").stdout == b"x<>"


def test_ctrl_c_cancels_the_program_and_exits_130(target: str, program: Any, farm: Any) -> None:
    with subprocess.Popen(
        command(target, program("out x\nhang")), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"x"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
    assert farm.cancelled.wait(PATIENCE_S)


def test_sigterm_cancels_the_program(target: str, program: Any, farm: Any) -> None:
    with subprocess.Popen(
        command(target, program("out x\nhang")), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"x"
        process.terminate()
        assert process.wait(PATIENCE_S) == 143
    assert farm.cancelled.wait(PATIENCE_S)


def test_a_reader_that_goes_away_cancels_the_program(target: str, program: Any, farm: Any) -> None:
    with subprocess.Popen(
        command(target, program("out x\nread\nout y\nhang")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(1) == b"x"
        process.stdout.close()
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 141
        assert process.stderr.read() == b""
    assert farm.cancelled.wait(PATIENCE_S)


def test_json_tells_everything(target: str, program: Any) -> None:
    done = run(target, "--json", program("out x\nerr y\nexit 2"))
    report = json.loads(done.stdout)
    assert (report["verdict"], report["exit_code"], report["stdout"]) == ("NONZERO_EXIT", 2, "x")
    assert report["usage"]["cpu_user_s"] == 0.5
    assert (done.returncode, done.stderr) == (2, b"")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["missing.py"], 2, b"missing.py: No such file"),
        (["--stdin", "missing", "/dev/null"], 2, b"cannot tell the language"),
        (["--cpu", "fast", "x.py"], 2, b"expected a duration like"),
        (["--memory", "1XB", "x.py"], 2, b"expected a size like"),
    ],
)
def test_a_wrong_command_line_is_told_in_words(
    target: str, arguments: list[str], status: int, words: bytes, tmp_path: Path
) -> None:
    done = run(target, *arguments, cwd=tmp_path)
    assert done.returncode == status
    assert words in done.stderr
    assert b"Traceback" not in done.stderr


def test_nobody_there_is_one_line_and_status_125(program: Any) -> None:
    done = run("127.0.0.1:1", program("out x"))
    assert done.returncode == 125
    assert done.stderr.startswith(b"dcodex: cannot reach a farm at 127.0.0.1:1: ")
    assert done.stderr.count(b"\n") == 1


def test_a_refused_request_is_one_line_and_status_125(target: str, program: Any) -> None:
    done = run(target, program("reject RESOURCE_EXHAUSTED"))
    assert done.returncode == 125
    assert done.stderr == (b"dcodex: limits.cpu_s must be a positive number (try again in 1.5 s)\n")
