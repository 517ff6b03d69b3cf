"""`dcodex run` and its siblings against a real farm, as a person at a terminal uses them."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import dcodex
from dcodex import WorkerState
from dcodex.testing import Farm

PATIENCE_S = 60.0
EXAMPLES = Path(__file__).parents[2] / "client" / "examples"


def command(farm: Farm, name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "dcodex", name, "--target", farm.target, *arguments]


def run(farm: Farm, *arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(
        command(farm, "run", *arguments), capture_output=True, timeout=PATIENCE_S, **options
    )


@pytest.fixture
def script(tmp_path: Path) -> Any:
    def write(text: str, name: str = "main.py") -> str:
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def test_hello(farm: Farm) -> None:
    done = run(farm, str(EXAMPLES / "hello.py"))
    assert (done.stdout, done.stderr, done.returncode) == (b"hello from Python\n", b"", 0)


@pytest.mark.usefixtures("cpp_compiler")
def test_the_extension_says_the_language(farm: Farm) -> None:
    assert run(farm, str(EXAMPLES / "hello.cpp")).stdout == b"hello from C++\n"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("raise SystemExit(42)", 42),
        ("1 / 0", 1),
        ("import os; os.kill(os.getpid(), 15)", 143),
        ("import os; os.abort()", 134),
        ("while True: pass", 137),
    ],
)
def test_the_exit_status_is_the_programs(farm: Farm, script: Any, text: str, status: int) -> None:
    done = run(farm, "--cpu", "300ms", script(text))
    assert done.returncode == status
    assert (b"dcodex: cpu limit" in done.stderr) == (status == 137)


def test_a_traceback_is_that_of_a_local_run(farm: Farm, script: Any) -> None:
    path = script("def f():\n    return 1 / 0\nf()\n")
    local = subprocess.run(
        ["/usr/bin/python3", "-u", "main.py"], cwd=Path(path).parent, capture_output=True
    )
    done = run(farm, path)
    theirs = done.stderr.decode().replace("/work/main.py", "main.py")
    assert theirs.splitlines()[-1] == local.stderr.decode().splitlines()[-1]
    assert "main.py" in theirs
    assert "dcodex" not in theirs


def test_files_arguments_and_environment(farm: Farm) -> None:
    shapes = str(EXAMPLES / "multi_file" / "shapes.py")
    done = run(farm, "--file", shapes, str(EXAMPLES / "multi_file" / "main.py"), "3", "circle")
    assert (done.stdout, done.returncode) == (b"circle: 0.79\n", 3)


def test_output_and_input_are_live(farm: Farm) -> None:
    with subprocess.Popen(
        command(farm, "run", str(EXAMPLES / "interactive.py")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        low, high = 1, 100
        while low < high:
            question = process.stdout.readline().decode()
            middle = int(question.split()[-1].rstrip("?"))
            assert question == f"is it greater than {middle}?\n"
            low, high = (middle + 1, high) if middle < 73 else (low, middle)
            process.stdin.write(b"yes\n" if low > middle else b"no\n")
            process.stdin.flush()
        assert process.stdout.readline() == b"it is 73\n"
        assert process.wait(PATIENCE_S) == 0


def test_ctrl_c_cancels_the_remote_program(farm: Farm, script: Any) -> None:
    path = script("import time\nprint('on')\ntime.sleep(60)\n")
    with subprocess.Popen(
        command(farm, "run", path), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"on\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
    with dcodex.connect(farm.target) as client:
        for snapshot in client.farm(timeout_s=PATIENCE_S):
            if {worker.state for worker in snapshot.workers} == {WorkerState.IDLE}:
                return


def test_json_and_stats(farm: Farm) -> None:
    hello = str(EXAMPLES / "hello.py")
    report = json.loads(run(farm, "--json", "--no-cache", hello).stdout)
    assert (report["verdict"], report["stdout"]) == ("OK", "hello from Python\n")
    assert report["usage"]["wall_s"] > 0
    assert run(farm, "--stats", "--no-cache", hello).stderr.startswith(b"dcodex: OK, exit 0, cpu ")


def test_the_stamps_of_a_trace_are_in_order_of_time(farm: Farm) -> None:
    done = run(farm, "--trace", "--no-cache", str(EXAMPLES / "hello.py"))
    assert done.stdout == b"hello from Python\n"
    lines = done.stderr.decode().splitlines()
    assert len(lines) >= 4
    stamps = [float(line.split()[1]) for line in lines]
    assert stamps == sorted(stamps)


def test_languages_lists_what_runs(farm: Farm) -> None:
    done = subprocess.run(
        command(farm, "languages"), capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0
    assert any(line.startswith("python ") for line in done.stdout.splitlines())


def test_top_takes_one_look(farm: Farm) -> None:
    done = subprocess.run(
        command(farm, "top", "--once"), capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr
    assert farm.target in done.stdout
    assert "IDLE" in done.stdout


def test_repl_is_one_python_that_remembers(farm: Farm) -> None:
    typed = b"x = 6 * 7\nprint('x is', x)\ndef f():\n    return x + 1\n\nf()\nundefined\n"
    done = subprocess.run(
        command(farm, "repl"), input=typed, capture_output=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr
    assert b"x is 42\n" in done.stdout
    assert b"43\n" in done.stdout
    assert b"NameError: name 'undefined' is not defined" in done.stderr


def test_a_terminal_as_stdin_is_passed_on(farm: Farm, script: Any) -> None:
    path = script("print('you said', input())\n")
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            command(farm, "run", path), stdin=theirs, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            os.write(ours, b"hello\n")
            assert process.stdout.read() == b"you said hello\n"
            assert process.wait(PATIENCE_S) == 0
    finally:
        os.close(ours)
        os.close(theirs)
