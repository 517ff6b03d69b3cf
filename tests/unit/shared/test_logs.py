"""Log lines: one a record, whatever is in it; and the names that ids go by."""

from __future__ import annotations

import ast
import importlib.util
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_shared.logs import HumanFormatter, JsonFormatter

PACKAGES = ("dcodex_shared", "dcodex_coordinator", "dcodex_gateway", "dcodex_worker", "dcodex")
LEVELS = frozenset(("debug", "info", "warning", "error", "exception", "critical", "log", "warn"))
IDS = ("execution_id", "worker_id")
#: A conversion, and the name before it.
FIELD = re.compile(r"(?:\b([a-z][a-z0-9_]*)=)?%[-#0+ ]*\d*(?:\.\d+)?[a-zA-Z]")


def record(message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("dcodex_x.y", logging.WARNING, "y.py", 1, message, args, None)


def as_json(message: str, *args: object) -> dict[str, object]:
    line = JsonFormatter("gateway").format(record(message, *args))
    assert "\n" not in line
    entry = json.loads(line)
    assert isinstance(entry, dict)
    return entry


def test_a_records_pairs_become_members() -> None:
    entry = as_json("dropped %d of %s execution_id=%s size=%d reason=silent", 3, "x", "e-1", 7)
    assert entry["message"] == "dropped 3 of x"
    told = {name: entry[name] for name in ("execution_id", "size", "reason")}
    assert told == {"execution_id": "e-1", "size": 7, "reason": "silent"}
    assert (entry["level"], entry["process"]) == ("warning", "gateway")


def test_a_message_without_arguments_is_taken_as_it_is() -> None:
    assert as_json("50% of it")["message"] == "50% of it"
    assert as_json("100%% of %s", "it")["message"] == "100% of it"


def test_every_record_of_a_worker_names_it() -> None:
    members = {"worker_id": "host/3"}
    line = JsonFormatter("worker", members).format(record("could not arm"))
    assert json.loads(line)["worker_id"] == "host/3"
    assert "worker host/3: could not arm" in HumanFormatter("worker", members).format(
        record("could not arm")
    )


def test_an_exception_is_a_member_and_stays_on_the_line() -> None:
    try:
        raise ValueError("of\nmany\nlines")
    except ValueError:
        made = record("failed")
        made.exc_info = sys.exc_info()
    line = JsonFormatter("gateway").format(made)
    assert "\n" not in line
    assert "ValueError" in json.loads(line)["exception"]


@given(st.text(), st.text())
def test_a_value_cannot_pass_itself_off_as_another_pair_or_another_line(
    value: str, other: str
) -> None:
    sly = f"x' execution_id='forged {value}\n{other}"
    entry = as_json("turned away reason=%r peer=%s", sly, other)
    assert "execution_id" not in entry
    assert (entry["reason"], entry["peer"]) == (sly, other)
    human = HumanFormatter("gateway").format(record("turned away reason=%s", sly))
    assert len(human.splitlines()) == 1
    assert "\x1b" not in HumanFormatter("gateway").format(record("x=%s", "\x1b[2J" + value))


# --- every log call of ours ------------------------------------------------------------------


def calls(package: str) -> Iterator[tuple[Path, ast.Call]]:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    for path in Path(spec.origin).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in LEVELS
                and ast.unparse(node.func.value).rpartition(".")[2]
                in ("log", "_log", "complaints", "_complaints", "_refusals")
            ):
                yield path, node


@pytest.mark.parametrize("package", PACKAGES)
def test_every_log_calls_message_is_constant_and_names_each_id_by_its_name(package: str) -> None:
    for path, call in calls(package):
        where = f"{path}:{call.lineno}"
        template = call.args[0]
        if path.name == "complaints.py":
            # It passes on what its callers, who are looked at too, say.
            continue
        assert isinstance(template, ast.Constant), where
        assert isinstance(template.value, str), where
        names = FIELD.findall(template.value)
        assert len(names) == len(call.args) - 1, where
        for name, argument in zip(names, call.args[1:], strict=True):
            told = ast.unparse(argument)
            for identity in IDS:
                if re.search(rf"\b{identity}\b", told):
                    assert name == identity, f"{where}: {told} is logged as {name!r}"


def test_the_check_finds_log_calls() -> None:
    assert sum(1 for package in PACKAGES for _ in calls(package)) > 40
