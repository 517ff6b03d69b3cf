"""What a request may hold, and that everything else is refused by the name of its field."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_gateway.translate import (
    MAX_RUN_OUTPUT_BYTES,
    Order,
    Terms,
    order_classic,
    order_execute,
    order_run,
)
from dcodex_proto.classic import code_executor_pb2 as classic_pb
from dcodex_proto.v1 import executor_pb2 as pb
from dcodex_shared import limits as bounds
from dcodex_shared.errors import Reason, Rejected
from dcodex_shared.limits import DEFAULT_CEILING, DEFAULT_LIMITS, GIB
from dcodex_shared.messages import Priority
from dcodex_shared.program import Program, SourceFile, unpack_program

OFFERED = (("cpp", "12.2.0"), ("python", "3.11.2"))
TERMS = Terms("tenant", DEFAULT_LIMITS, DEFAULT_CEILING, OFFERED)


def run(start: pb.Start, terms: Terms = TERMS) -> Order:
    return order_run(start, terms, "id", 0.0, trace=False)


def program(start: pb.Start) -> Program:
    return unpack_program(run(start).payload)


def python(**fields: object) -> pb.Start:
    values: dict[str, object] = {"language": "python", "source": b"x"}
    values.update(fields)
    return pb.Start(**values)  # type: ignore[arg-type] # keyword by keyword


def files(*paths: str, **fields: object) -> pb.Start:
    return python(source=b"", files=[pb.File(path=path) for path in paths], **fields)


def refusal(start: pb.Start, terms: Terms = TERMS) -> str:
    with pytest.raises(Rejected) as refused:
        run(start, terms)
    assert refused.value.reason is Reason.INVALID_ARGUMENT
    assert refused.value.retry_after_s == 0
    return refused.value.message


# --- languages -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["python", "PY", "Python3"])
def test_a_name_or_an_alias_in_any_case_is_known(name: str) -> None:
    assert program(python(language=name)).language == "python"


@pytest.mark.parametrize("name", ["", "cobol", "main.py", "x" * 10_000])
def test_an_unknown_language_is_answered_with_the_known_ones(name: str) -> None:
    message = refusal(python(language=name))
    assert "python (py, python3)" in message
    assert "cpp" in message
    assert len(message) < 300


def test_a_language_that_this_farm_lacks_is_no_better_than_an_unknown_one() -> None:
    message = refusal(python(language="c"))
    assert "c is not available here" in message
    assert "python" in message


@pytest.mark.parametrize("version", ["3", "3.11", "3.11.2", ""])
def test_a_version_may_be_a_prefix(version: str) -> None:
    run(python(version=version))


@pytest.mark.parametrize("version", ["2", "3.1", "3.11.20", "3.", ".", "x" * 1000])
def test_another_version_is_refused_with_the_ones_there_are(version: str) -> None:
    assert "python 3.11.2" in refusal(python(version=version))


def test_before_there_is_a_language_the_farm_is_unavailable() -> None:
    with pytest.raises(Rejected) as refused:
        run(python(), replace(TERMS, offered=()))
    assert refused.value.reason is Reason.UNAVAILABLE
    assert refused.value.retry_after_s > 0


# --- files -----------------------------------------------------------------------------------


def test_a_source_becomes_the_languages_default_file() -> None:
    made = program(python(source=b"print(1)"))
    assert made.files == (SourceFile("main.py", 0o644, b"print(1)"),)
    assert made.entry_point == "main.py"


def test_files_keep_path_content_and_mode() -> None:
    start = python(source=b"", files=[pb.File(path="a/b.py", content=b"\0\xff", mode=0o755)])
    assert program(start).files == (SourceFile("a/b.py", 0o755, b"\0\xff"),)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "empty"),
        ("/etc/passwd", "relative"),
        ("..", "'..'"),
        ("../x", "'..'"),
        ("a/../../x", "'..'"),
        ("a/..", "'..'"),
        (".", "'.'"),
        ("./x", "'.'"),
        ("a//b", "normal"),
        ("a/", "normal"),
        ("a\0b", "NUL"),
        ("x" * 256, "255 bytes"),
        ("é" * 128, "255 bytes"),
        ("/".join(["a" * 200] * 6), "1024 bytes"),
    ],
)
def test_a_path_that_could_leave_its_directory_is_refused(path: str, words: str) -> None:
    message = refusal(files(path))
    assert message.startswith("files[0].path")
    assert words in message


@pytest.mark.parametrize("path", ["main.py", "...", "..x", "a b", "é" * 127, "x" * 255, "a/b/c"])
def test_other_paths_are_taken(path: str) -> None:
    assert program(files(path)).entry_point == path


def test_two_files_at_one_path_are_refused() -> None:
    assert "files[1].path" in refusal(files("main.py", "main.py"))


@pytest.mark.parametrize("paths", [("a", "a/b"), ("a/b", "a"), ("a/b/c", "x", "a")])
def test_a_file_cannot_be_a_directory_too(paths: tuple[str, ...]) -> None:
    assert "a file and a directory" in refusal(files(*paths))


@pytest.mark.parametrize("mode", [0o1777, 0o4755, 0o100644, 2**32 - 1])
def test_only_permission_bits_are_taken(mode: int) -> None:
    start = python(source=b"", files=[pb.File(path="main.py", mode=mode)])
    assert "files[0].mode" in refusal(start)


def test_source_and_files_exclude_each_other_and_one_must_be() -> None:
    assert "not both" in refusal(python(files=[pb.File(path="main.py")]))
    assert "must be given" in refusal(python(source=b""))


def test_too_many_files_are_refused() -> None:
    run(files(*(f"f{n}" for n in range(bounds.MAX_FILES)), entry_point="f0"))
    assert "files" in refusal(files(*(f"f{n}" for n in range(bounds.MAX_FILES + 1))))


def test_the_entry_point_is_the_only_file_or_the_default_one_or_named() -> None:
    assert program(files("a.py")).entry_point == "a.py"
    assert program(files("a.py", "main.py")).entry_point == "main.py"
    assert program(files("a.py", "b.py", entry_point="b.py")).entry_point == "b.py"
    assert "entry_point" in refusal(files("a.py", "b.py"))
    assert "entry_point" in refusal(files("a.py", entry_point="b.py"))
    assert "entry_point" in refusal(python(entry_point="other.py"))


# --- argv, environment, labels, ids ----------------------------------------------------------


def test_args_and_environment_reach_the_program() -> None:
    made = program(python(args=["a", ""], environment={"B": "2", "A": "1=1"}))
    assert made.args == ("a", "")
    assert made.environment == (("A", "1=1"), ("B", "2"))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["a\0b"], "args[0]: must not hold a NUL"),
        (["x"] * (bounds.MAX_ARGS + 1), "args: at most"),
        (["x" * (bounds.MAX_ONE_ARGUMENT_BYTES + 1)], "args[0]"),
        (["x" * bounds.MAX_ONE_ARGUMENT_BYTES] * 5, "together"),
    ],
)
def test_args_that_no_kernel_takes_are_refused(args: list[str], words: str) -> None:
    assert words in refusal(python(args=args))


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A=B", "A B", "É", "A\0", "A\n"])
def test_an_environment_name_is_a_name(name: str) -> None:
    assert "environment" in refusal(python(environment={name: "x"}))


def test_an_environment_value_holds_no_nul_and_has_a_size() -> None:
    assert "NUL" in refusal(python(environment={"A": "\0"}))
    assert "environment: A" in refusal(
        python(environment={"A": "x" * bounds.MAX_ONE_ARGUMENT_BYTES})
    )
    many = {f"A{n}": "" for n in range(bounds.MAX_ENVIRONMENT + 1)}
    assert "environment: at most" in refusal(python(environment=many))
    big = {f"A{n}": "x" * 100_000 for n in range(3)}
    assert "together" in refusal(python(environment=big, args=["x" * 100_000] * 3))


def test_compile_args_are_for_compilers_and_of_the_kinds_allowed() -> None:
    cpp = pb.Start(language="cpp", source=b"x", compile_args=["-O2", "-std=c++20"])
    assert program(cpp).compile_args == ("-O2", "-std=c++20")
    assert "compile_args" in refusal(python(compile_args=["-O2"]))
    for option in ("/etc/passwd", "-o/etc/x", "@file", "--help", ""):
        assert "compile_args" in refusal(
            pb.Start(language="cpp", source=b"x", compile_args=[option])
        )


def test_labels_are_few_and_short() -> None:
    run(python(labels={f"l{n}": "x" * 63 for n in range(bounds.MAX_LABELS)}))
    assert "labels" in refusal(python(labels={f"l{n}": "" for n in range(17)}))
    assert "labels" in refusal(python(labels={"x" * 64: ""}))
    assert "labels" in refusal(python(labels={"x": "é" * 32}))


def test_an_execution_id_is_the_callers_own_and_of_plain_characters() -> None:
    order = run(python(execution_id="job-1.a_B"))
    assert order.submit.client_key == order.public_id == "job-1.a_B"
    assert order.submit.execution_id == "id"
    for bad in ("a b", "é", "a/b", "x" * 65, "a\n"):
        assert "execution_id" in refusal(python(execution_id=bad))


def test_priorities_and_policies_are_the_known_ones() -> None:
    assert run(python()).submit.priority == Priority.INTERACTIVE
    assert run(python(priority=pb.PRIORITY_BATCH)).submit.priority == Priority.BATCH
    assert "priority" in refusal(python(priority=7))
    assert "cache" in refusal(python(cache=7))


# --- limits ----------------------------------------------------------------------------------


def test_limits_that_are_asked_for_replace_the_defaults() -> None:
    made = program(python(limits=pb.Limits(wall_s=0.25, processes=7)))
    assert made.limits == replace(DEFAULT_LIMITS, wall_s=0.25, processes=7)
    assert run(python(limits=pb.Limits(wall_s=0.25))).submit.wall_limit_s == 0.25


@pytest.mark.parametrize("field", [field.name for field in pb.Limits.DESCRIPTOR.fields])
@pytest.mark.parametrize("value", [0, -1])
def test_zero_and_negative_limits_are_refused_by_name(field: str, value: int) -> None:
    assert f"limits.{field}" in refusal(python(limits=pb.Limits(**{field: value})))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_times_that_are_no_numbers_are_refused(value: float) -> None:
    assert "limits.cpu_s" in refusal(python(limits=pb.Limits(cpu_s=value)))


def test_a_limit_above_the_ceiling_is_refused_and_never_lowered() -> None:
    assert "at most 300.0" in refusal(python(limits=pb.Limits(wall_s=300.1)))


def test_run_holds_no_more_output_than_fits_into_an_answer() -> None:
    large = pb.Limits(output_bytes=MAX_RUN_OUTPUT_BYTES + 1)
    assert "use Execute" in refusal(python(limits=large))
    order = order_execute(python(limits=large), TERMS, "id", 0.0, trace=False)
    assert unpack_program(order.payload).limits.output_bytes == MAX_RUN_OUTPUT_BYTES + 1
    generous = replace(TERMS, default=replace(DEFAULT_LIMITS, output_bytes=GIB))
    made = unpack_program(run(python(), generous).payload)
    assert made.limits.output_bytes == MAX_RUN_OUTPUT_BYTES


# --- caching ---------------------------------------------------------------------------------


def key(start: pb.Start) -> bytes:
    return order_execute(start, TERMS, "id", 0.0, trace=False).submit.cache_key


def test_only_what_can_be_answered_again_has_a_cache_key() -> None:
    assert run(python()).submit.cache_key
    assert key(python(stdin_complete=True))
    assert not key(python())
    assert not run(python(cache=pb.CACHE_POLICY_BYPASS)).submit.cache_key


@pytest.mark.parametrize(
    "change",
    [
        {"source": b"y"},
        {"args": ["a"]},
        {"stdin": b"a"},
        {"environment": {"A": "1"}},
        {"limits": pb.Limits(wall_s=1.0)},
        {"language": "cpp"},
        {"source": b"", "files": [pb.File(path="main.py", content=b"x", mode=0o755)]},
    ],
)
def test_everything_that_can_change_the_outcome_changes_the_key(change: dict[str, object]) -> None:
    assert run(python()).submit.cache_key != run(python(**change)).submit.cache_key


@pytest.mark.parametrize(
    "change",
    [
        {"language": "py"},
        {"labels": {"a": "b"}},
        {"execution_id": "x"},
        {"priority": pb.PRIORITY_BATCH},
        {"source": b"", "files": [pb.File(path="main.py", content=b"x")]},
    ],
)
def test_nothing_else_changes_the_key(change: dict[str, object]) -> None:
    assert run(python()).submit.cache_key == run(python(**change)).submit.cache_key


def test_code_and_stdin_do_not_run_together_in_the_key() -> None:
    one = run(python(source=b"ab", stdin=b"c")).submit.cache_key
    assert one != run(python(source=b"a", stdin=b"bc")).submit.cache_key


# --- the classic API -------------------------------------------------------------------------


def test_a_classic_request_is_a_program_with_all_its_stdin() -> None:
    request = classic_pb.CodeRequest(language="a/b.PY", code="é", stdin_data="in")
    order = order_classic(request, TERMS, "id", 1.5, trace=False)
    made = unpack_program(order.payload)
    assert made.files == (SourceFile("main.py", 0o644, "é".encode()),)
    assert (made.stdin, made.stdin_complete) == (b"in", True)
    assert order.submit.streaming
    assert order.submit.cache_key
    assert order.submit.deadline_s == 1.5


def test_a_classic_program_may_be_empty() -> None:
    request = classic_pb.CodeRequest(language="python")
    assert order_classic(request, TERMS, "id", 0.0, trace=False).payload


def test_a_classic_request_in_an_unknown_language_names_the_known_ones() -> None:
    with pytest.raises(Rejected, match="python") as refused:
        order_classic(classic_pb.CodeRequest(language="x"), TERMS, "id", 0.0, trace=False)
    assert refused.value.reason is Reason.INVALID_ARGUMENT


# --- anything at all -------------------------------------------------------------------------

_text = st.text(max_size=12) | st.sampled_from(["..", "/", "a/b", "a", "\0", "python", "main.py"])
_numbers = st.floats() | st.sampled_from([0.0, -1.0, 1.0, 1e9])
_integers = st.integers(-(2**31), 2**31 - 1)
_limits = st.builds(
    pb.Limits,
    cpu_s=st.none() | _numbers,
    wall_s=st.none() | _numbers,
    memory_bytes=st.none() | st.integers(-(2**63), 2**63 - 1),
    processes=st.none() | _integers,
    output_bytes=st.none() | st.integers(-(2**63), 2**63 - 1),
    open_files=st.none() | _integers,
)
_starts = st.builds(
    pb.Start,
    language=st.sampled_from(["python", "py", "cpp", "c", "cobol", ""]),
    version=st.sampled_from(["", "3", "12"]) | _text,
    source=st.binary(max_size=8),
    files=st.lists(
        st.builds(
            pb.File, path=_text, content=st.binary(max_size=4), mode=st.integers(0, 2**32 - 1)
        ),
        max_size=3,
    ),
    entry_point=_text,
    args=st.lists(_text, max_size=3),
    compile_args=st.lists(_text | st.just("-O2"), max_size=2),
    environment=st.dictionaries(_text, _text, max_size=3),
    stdin=st.binary(max_size=8),
    limits=st.none() | _limits,
    cache=st.integers(-1, 4),
    priority=st.integers(-1, 4),
    labels=st.dictionaries(_text, _text, max_size=3),
    execution_id=_text,
    stdin_complete=st.booleans(),
)


@given(_starts)
def test_any_start_is_an_order_that_a_worker_accepts_or_the_callers_fault(start: pb.Start) -> None:
    for order in (order_run, order_execute):
        try:
            made = unpack_program(order(start, TERMS, "id", 0.0, trace=False).payload)
        except Rejected as error:
            refused = error
        else:
            check_runnable(made)
            continue
        assert refused.reason is Reason.INVALID_ARGUMENT
        assert len(refused.message) < 4096


def check_runnable(made: Program) -> None:
    assert made.entry_point in [file.path for file in made.files]
    for file in made.files:
        assert not file.path.startswith("/")
        assert not {"", ".", ".."} & set(file.path.split("/"))
    for text in (*made.args, *(part for pair in made.environment for part in pair)):
        assert "\0" not in text
