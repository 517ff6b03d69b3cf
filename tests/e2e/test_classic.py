"""The classic API as clients of the original DCodeX use it: plain stubs, unary request, stream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from dcodex_proto.classic import code_executor_pb2 as pb
from dcodex_proto.classic.code_executor_pb2_grpc import CodeExecutorStub

PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Log:
    """A whole stream."""

    stdout: str
    stderr: str
    last: pb.ExecutionLog


def execute(stub: CodeExecutorStub, language: str, code: str, stdin: str = "") -> Log:
    request = pb.CodeRequest(language=language, code=code, stdin_data=stdin)
    return collect(stub.Execute(request, timeout=PATIENCE_S))


def collect(stream: Iterable[pb.ExecutionLog]) -> Log:
    logs = list(stream)
    return Log(
        "".join(log.stdout_chunk for log in logs),
        "".join(log.stderr_chunk for log in logs),
        logs[-1],
    )


@pytest.mark.parametrize("language", ["python", "py", "hello.py", "PYTHON"])
def test_hello_in_python(legacy: CodeExecutorStub, language: str) -> None:
    log = execute(legacy, language, "print('Hello, World!')")
    assert (log.stdout, log.stderr) == ("Hello, World!\n", "")
    assert log.last.peak_memory_bytes > 0
    assert log.last.execution_time_ms > 0
    assert not log.last.wall_clock_timeout
    assert not log.last.output_truncated


@pytest.mark.usefixtures("c_compiler")
@pytest.mark.parametrize("language", ["c", "main.c"])
def test_hello_in_c(legacy: CodeExecutorStub, language: str) -> None:
    source = '#include <stdio.h>\nint main(void) { printf("Hello from C\\n"); return 0; }'
    assert execute(legacy, language, source).stdout == "Hello from C\n"


@pytest.mark.usefixtures("cpp_compiler")
@pytest.mark.parametrize("language", ["cpp", "c++", "x.cc"])
def test_hello_in_cpp(legacy: CodeExecutorStub, language: str) -> None:
    source = '#include <iostream>\nint main() { std::cout << "Hello from C++" << std::endl; }'
    assert execute(legacy, language, source).stdout == "Hello from C++\n"


def test_stdin_reaches_the_program_and_none_is_end_of_file(legacy: CodeExecutorStub) -> None:
    assert execute(legacy, "python", "print(input() + '!')", "hi\n").stdout == "hi!\n"
    assert execute(legacy, "python", "import sys; print(repr(sys.stdin.read()))").stdout == "''\n"


def test_a_nonzero_exit_is_told_in_words(legacy: CodeExecutorStub) -> None:
    log = execute(legacy, "python", "import sys; print('out'); sys.exit(42)")
    assert log.stdout == "out\n"
    assert "ERROR: " in log.stderr
    assert "Process exited with non-zero status: 42" in log.stderr


def test_the_cpu_limit_is_told_in_words(legacy: CodeExecutorStub) -> None:
    log = execute(legacy, "python", "while True: pass")
    assert "ERROR: " in log.stderr
    assert "CPU time limit exceeded" in log.stderr
    assert "Process killed by signal: 9" in log.stderr


def test_a_wall_timeout_is_a_flag_and_words(legacy: CodeExecutorStub) -> None:
    log = execute(legacy, "python", "import time; time.sleep(60)")
    assert log.last.wall_clock_timeout
    assert "ERROR: " in log.stderr
    assert "Wall-clock timeout exceeded" in log.stderr


def test_a_flood_is_cut_and_said_so(legacy: CodeExecutorStub) -> None:
    log = execute(legacy, "python", "while True: print('x' * 1000)")
    assert log.last.output_truncated
    assert "Output truncated" in log.stderr
    assert 60_000 < len(log.stdout) <= 65_536


def test_a_killed_program_is_told_in_words(legacy: CodeExecutorStub) -> None:
    log = execute(legacy, "python", "import os; os.kill(os.getpid(), 9)")
    assert "Process killed by signal: 9" in log.stderr


@pytest.mark.usefixtures("cpp_compiler")
def test_a_failed_compile_comes_with_the_compilers_output(legacy: CodeExecutorStub) -> None:
    log = execute(legacy, "cpp", "int main() { return undeclared; }")
    assert "ERROR: " in log.stderr
    assert "Compilation failed" in log.stderr
    assert "undeclared" in log.stderr


def test_the_same_request_again_is_a_cache_hit_with_the_same_output(
    legacy: CodeExecutorStub,
) -> None:
    code = "import sys, time; print('classic', time.monotonic_ns()); print('e', file=sys.stderr)"
    first, second = execute(legacy, "python", code), execute(legacy, "python", code)
    assert (first.last.cache_hit, second.last.cache_hit) == (False, True)
    assert (second.stdout, second.stderr) == (first.stdout, first.stderr)


def test_a_failure_is_not_cached(legacy: CodeExecutorStub) -> None:
    logs = [execute(legacy, "python", "raise SystemExit(1)") for _ in range(2)]
    assert [log.last.cache_hit for log in logs] == [False, False]


def test_a_character_split_over_two_writes_arrives_whole(legacy: CodeExecutorStub) -> None:
    code = (
        "import os, time\n"
        "for byte in 'zß水🍌'.encode():\n"
        "    os.write(1, bytes([byte]))\n"
        "    time.sleep(0.01)\n"
    )
    assert execute(legacy, "python", code).stdout == "zß水🍌"


def test_bytes_that_are_no_text_are_replaced_and_never_an_error(legacy: CodeExecutorStub) -> None:
    code = "import os; os.write(1, b'a\\xffb\\xc3'); os.write(2, b'\\xed\\xa0\\x80')"
    log = execute(legacy, "python", code)
    assert log.stdout == "a\ufffdb\ufffd"
    assert set(log.stderr) == {"\ufffd"}


def test_output_arrives_while_the_program_runs(legacy: CodeExecutorStub) -> None:
    code = "import time\nprint('first')\ntime.sleep(5)\nprint('second')"
    stream = legacy.Execute(pb.CodeRequest(language="python", code=code), timeout=PATIENCE_S)
    seen = ""
    while seen != "first\n":
        seen += next(stream).stdout_chunk
    # It still sleeps: its end has not been told, and now never will be.
    stream.cancel()
    with pytest.raises(grpc.RpcError):
        next(stream)


def test_an_unknown_language_names_the_known_ones(legacy: CodeExecutorStub) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        execute(legacy, "cobol", "x")
    status: Any = refused.value  # the stubs do not know that it is a call too
    assert status.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "python" in status.details()


def test_system_metrics_count_workers_and_requests(legacy: CodeExecutorStub) -> None:
    before = legacy.GetSystemMetrics(pb.EmptyRequest(), timeout=PATIENCE_S)
    execute(legacy, "python", "import time; print(time.monotonic_ns())")
    after = legacy.GetSystemMetrics(pb.EmptyRequest(), timeout=PATIENCE_S)
    assert after.current_pool_size == 4
    assert (
        after.active_workers + after.idle_workers + after.recycling_workers
        <= after.current_pool_size
    )
    assert after.total_requests_served > before.total_requests_served
    assert after.p99_latency_ms >= after.p50_latency_ms > 0
