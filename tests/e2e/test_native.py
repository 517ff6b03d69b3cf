"""The native API through the SDK, against a real farm."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

import dcodex
from dcodex import Limits, Verdict
from dcodex.testing import Farm

MIB = 1 << 20
PATIENCE_S = 60.0


def test_a_program_runs_and_its_output_comes_back(client: dcodex.Client) -> None:
    result = client.run("print('hello', 6 * 7)")
    assert (result.stdout, result.stderr) == (b"hello 42\n", b"")
    assert (result.verdict, result.exit_code, result.signal) == (Verdict.OK, 0, 0)
    assert result.usage.wall_s > 0
    assert result.usage.peak_memory_bytes > 0
    assert result.worker_id


@pytest.mark.usefixtures("c_compiler")
def test_c_runs(client: dcodex.Client) -> None:
    source = '#include <stdio.h>\nint main(void) { printf("%d\\n", 6 * 7); return 3; }\n'
    result = client.run(source, language="c")
    assert (result.text, result.exit_code) == ("42\n", 3)
    assert result.verdict is Verdict.NONZERO_EXIT


@pytest.mark.usefixtures("cpp_compiler")
@pytest.mark.parametrize("name", ["cpp", "c++", "CPP"])
def test_cpp_runs_by_any_of_its_names(client: dcodex.Client, name: str) -> None:
    source = '#include <iostream>\nint main() { std::cout << "hi\\n"; }\n'
    assert client.run(source, language=name).check().text == "hi\n"


def test_stdin_args_environment_and_files_reach_the_program(client: dcodex.Client) -> None:
    result = client.run(
        files={
            "main.py": "import os, sys, util\n"
            "print(sys.argv[1:], os.environ['MODE'], util.name, sys.stdin.read())",
            "util.py": "name = 'util'",
        },
        entry_point="main.py",
        args=["a b", "ü"],
        env={"MODE": "fast"},
        stdin="line\n",
    )
    assert result.check().text == "['a b', 'ü'] fast util line\n\n"


def test_a_run_answers_with_as_much_output_as_it_may_have(client: dcodex.Client) -> None:
    source = (
        "import os, sys\n"
        "for number in range(9 * 16):\n"
        "    os.write(1 + number % 3 // 2, bytes([number]) * 65536)\n"
    )
    result = client.run(source, limits=Limits(output_bytes=9 * MIB), cache=False)
    pieces = [bytes([number]) * 65536 for number in range(9 * 16)]
    assert result.check().stdout == b"".join(p for n, p in enumerate(pieces) if n % 3 != 2)
    assert result.stderr == b"".join(pieces[2::3])


def test_exit_codes_and_signals_are_the_programs(client: dcodex.Client) -> None:
    assert client.run("raise SystemExit(42)").exit_code == 42
    killed = client.run("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert (killed.verdict, killed.signal, killed.exit_code) == (Verdict.SIGNALED, 11, 139)
    failed = client.run("1 / 0")
    assert failed.verdict is Verdict.NONZERO_EXIT
    assert failed.error_text.endswith("ZeroDivisionError: division by zero\n")


def test_the_cpu_limit_ends_a_loop(client: dcodex.Client) -> None:
    result = client.run("while True: pass", limits=Limits(cpu_s=0.3))
    assert result.verdict is Verdict.CPU_LIMIT
    assert 0.25 < result.usage.cpu_s < 0.6


def test_the_wall_limit_ends_a_sleep(client: dcodex.Client) -> None:
    result = client.run("import time; time.sleep(60)", limits=Limits(wall_s=0.3))
    assert result.verdict is Verdict.WALL_LIMIT
    assert 0.25 < result.usage.wall_s < 1.5


def test_a_runs_wall_time_counts_from_the_moment_that_it_begins(client: dcodex.Client) -> None:
    nap = "import time; began = time.monotonic(); time.sleep(0.02); print(time.monotonic() - began)"
    for _ in range(20):
        result = client.run(nap, cache=False).check()
        assert result.usage.wall_s >= float(result.text)


def test_the_memory_limit_ends_a_hog(client: dcodex.Client) -> None:
    source = "blocks = []\nwhile True: blocks.append(bytearray(b'x' * (4 << 20)))"
    result = client.run(source, limits=Limits(memory_bytes=96 * MIB, cpu_s=5))
    assert result.verdict is Verdict.MEMORY_LIMIT


def test_the_output_limit_cuts_a_flood(client: dcodex.Client) -> None:
    result = client.run("while True: print('x' * 1000)", limits=Limits(output_bytes=10_000))
    assert result.verdict is Verdict.OUTPUT_LIMIT
    assert result.output_truncated
    assert result.stdout == (b"x" * 1000 + b"\n")[:1001] * 9 + b"x" * (10_000 - 9 * 1001)


@pytest.mark.usefixtures("cpp_compiler")
def test_a_compile_error_carries_the_compilers_words(client: dcodex.Client) -> None:
    result = client.run("int main() { return undeclared; }", language="cpp")
    assert result.verdict is Verdict.COMPILE_ERROR
    assert "undeclared" in result.compiler_text
    assert result.stdout == b""


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos._exit(0) if os.fork() else None\nimport time\ntime.sleep(60)",
        "import os\nif os.fork() == 0:\n    os.setsid()\n    import time\n    time.sleep(60)",
    ],
    ids=["orphan", "daemon"],
)
def test_a_program_ends_with_its_first_process_whatever_it_left(
    client: dcodex.Client, source: str
) -> None:
    assert client.run(source, limits=Limits(wall_s=20)).usage.wall_s < 10


def test_the_second_identical_request_comes_from_the_cache(client: dcodex.Client) -> None:
    source = "import time; print('cache me', time.monotonic_ns())"
    first, second = client.run(source).check(), client.run(source).check()
    assert (first.cache_hit, second.cache_hit) == (False, True)
    assert second.stdout == first.stdout
    third = client.run(source, cache=False).check()
    assert not third.cache_hit
    assert third.stdout != first.stdout


def test_what_one_program_leaves_the_next_does_not_see(client: dcodex.Client) -> None:
    leave = "import os\nfor d in ('.', '/tmp', '/dev/shm'): open(d + '/left', 'w').write('x')"
    look = "import os\nprint([d for d in ('.', '/tmp', '/dev/shm') if os.path.exists(d + '/left')])"
    for _ in range(8):
        client.run(leave, cache=False).check()
        assert client.run(look, cache=False).check().text == "[]\n"


def test_more_requests_than_workers_all_end_with_their_own_answer(farm: Farm) -> None:
    with dcodex.connect(farm.target) as client, ThreadPoolExecutor(24) as threads:
        results = threads.map(lambda n: client.run(f"print({n})", timeout_s=PATIENCE_S), range(48))
        assert [result.check().text for result in results] == [f"{n}\n" for n in range(48)]


def test_the_asyncio_client_does_the_same(farm: Farm) -> None:
    async def test() -> None:
        async with dcodex.AsyncClient(farm.target) as client:
            results = await asyncio.gather(*(client.run(f"print({n})") for n in range(12)))
            assert [result.check().text for result in results] == [f"{n}\n" for n in range(12)]
            async with client.execute("print('you said', input())") as execution:
                await execution.send_stdin("hello\n")
                assert (await execution.result()).text == "you said hello\n"

    asyncio.run(test())


def test_languages_say_what_there_is(client: dcodex.Client) -> None:
    languages = {language.name: language for language in client.languages()}
    python = languages["python"]
    assert (
        python.version == client.run("import platform; print(platform.python_version())").text[:-1]
    )
    assert python.extension == ".py"
    assert "py" in python.aliases
    assert python.default_limits.cpu_s is not None
    assert python.ceiling.cpu_s is not None
    assert python.ceiling.cpu_s >= python.default_limits.cpu_s


def test_the_farm_shows_its_workers_and_counts_what_they_did(client: dcodex.Client) -> None:
    snapshots = client.farm(timeout_s=PATIENCE_S)
    before = next(snapshots)
    assert len(before.workers) == 4
    client.run("print(1)", cache=False).check()
    assert any(now.executions_total > before.executions_total for now in snapshots)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"language": "cobol"}, "python"),
        ({"files": {"../x.py": "1"}}, "../x.py"),
        ({"files": {"/x.py": "1"}}, "/x.py"),
        ({"files": {"a.py": "1"}, "entry_point": "b.py"}, "b.py"),
        ({"limits": Limits(cpu_s=0)}, "cpu_s"),
        ({"limits": Limits(wall_s=-1)}, "wall_s"),
        ({"limits": Limits(wall_s=float("nan"))}, "wall_s"),
        ({"limits": Limits(memory_bytes=1 << 50)}, "memory_bytes"),
        ({"env": {"A=B": "x"}}, "A=B"),
        ({"version": "2.7"}, "2.7"),
    ],
    ids=lambda value: None if isinstance(value, str) else next(iter(value)),
)
def test_a_malformed_request_is_refused_by_name_and_loses_nothing(
    client: dcodex.Client, options: dcodex.requests.Options, words: str
) -> None:
    with pytest.raises(dcodex.InvalidRequest) as refused:
        client.run("" if "files" in options else "print(1)", **options)
    assert words in str(refused.value)
    client.run("print('still here')").check()


def test_a_request_over_the_size_limit_is_refused(client: dcodex.Client) -> None:
    with pytest.raises(dcodex.Exhausted):
        client.run("#" * (17 * MIB))
    client.run("print('still here')").check()
