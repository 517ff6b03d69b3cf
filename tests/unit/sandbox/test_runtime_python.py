"""Which Python programs go on in the warm interpreter, and which get a fresh one."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import cast

import pytest

from dcodex_shared.limits import DEFAULT_LIMITS
from dcodex_shared.program import Program, SourceFile
from dcodex_worker.runtimes.python import (
    SMALL,
    ArmedPython,
    Interpreter,
    group_kind,
    groups_of,
    names_any,
)
from dcodex_worker.runtimes.rack import Rack
from dcodex_worker.sandbox.box import Sandbox

NUMPY, OTHERS = group_kind(0), group_kind(1)
INTERPRETER = Interpreter(
    "/usr/bin/python3", "3.11.2", (), (("numpy",), ("pandas", "urllib.request"))
)


class ArmedSandbox:
    """What is asked of one before a program begins."""

    def __init__(self, any_name: bool) -> None:
        self.any_name = any_name


def program(
    *names: str, environment: tuple[tuple[str, str], ...] = (), content: bytes = b"pass\n"
) -> Program:
    files = tuple(SourceFile(name, 0o644, content) for name in names)
    return Program(
        "python", files, names[0], ("a", "b"), (), environment, b"", True, DEFAULT_LIMITS
    )


def armed(any_name: bool = True) -> tuple[ArmedPython, Rack]:
    rack = Rack()
    for kind in INTERPRETER.kinds():
        rack.put(kind, cast(Sandbox, ArmedSandbox(any_name)))
    return ArmedPython(rack, INTERPRETER), rack


def launch_of(what: Program, any_name: bool = True) -> tuple[bool, tuple[str, ...], str]:
    launch = armed(any_name)[0].begin(what).launch
    return launch.warm, launch.argv, launch.path


def test_main_py_goes_on_in_the_warm_interpreter() -> None:
    assert launch_of(program("main.py", "other.py")) == (True, ("main.py", "a", "b"), "")


@pytest.mark.parametrize("name", ["hello.py", "run/app.py", "a b", ".py", "m\u00fc.py", "x.pyc"])
def test_so_does_a_file_of_any_other_name(name: str) -> None:
    assert launch_of(program(name, "main.py")) == (True, (name, "a", "b"), "")


def test_another_name_gets_a_fresh_interpreter_where_the_template_cannot_open_it() -> None:
    argv = ("/usr/bin/python3", "-u", "run/app.py", "a", "b")
    assert launch_of(program("run/app.py"), any_name=False) == (False, argv, "/usr/bin/python3")
    assert launch_of(program("main.py"), any_name=False)[0]


@pytest.mark.parametrize("name", ["-c.py", "-", "@args"])
def test_a_name_like_an_option_gets_a_fresh_interpreter(name: str) -> None:
    argv = ("/usr/bin/python3", "-u", f"./{name}", "a", "b")
    assert launch_of(program(name)) == (False, argv, "/usr/bin/python3")


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "LD_PRELOAD", "MALLOC_ARENA_MAX"])
def test_what_an_interpreter_reads_at_its_start_gets_a_fresh_one(name: str) -> None:
    assert not launch_of(program("main.py", environment=((name, "1"),)))[0]


def test_other_variables_do_not_cost_the_warmth() -> None:
    what = program("main.py", environment=(("TOKEN", "1"),))
    assert launch_of(what)[0]


@pytest.mark.parametrize("name", ["HOME", "XDG_CONFIG_HOME", "MPLBACKEND"])
def test_what_a_package_reads_when_imported_costs_the_warmth_of_a_larger_template(
    name: str,
) -> None:
    environment = ((name, "1"),)
    assert not launch_of(program("main.py", environment=environment, content=b"import numpy"))[0]
    assert launch_of(program("main.py", environment=environment))[0]


def test_a_file_of_a_packages_settings_costs_the_warmth_of_a_larger_template() -> None:
    names = ("main.py", ".config/matplotlib/matplotlibrc")
    assert not launch_of(program(*names, content=b"import numpy"))[0]
    assert launch_of(program(*names))[0]


@pytest.mark.parametrize("before", [b"", b"#!/usr/bin/python3\n"])
def test_an_archive_gets_a_fresh_interpreter(before: bytes) -> None:
    archive = io.BytesIO(before)
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("__main__.py", "print(1)")
    assert not launch_of(program("app.pyz", content=archive.getvalue()))[0]


def test_the_requests_variables_win_over_the_sandboxes_own() -> None:
    launch = armed()[0].begin(program("main.py", environment=(("HOME", "/tmp"),))).launch
    assert dict(launch.environment)["HOME"] == "/tmp"
    assert "PATH" in dict(launch.environment)


@pytest.mark.parametrize(
    ("content", "used"),
    [
        (b"print(1)", SMALL),
        (b"import numpy as np", NUMPY),
        (b"__import__('numpy')", NUMPY),
        (b"from urllib import request", OTHERS),
        (b"import numpy, pandas", OTHERS),
    ],
)
def test_a_program_runs_in_the_last_template_of_which_it_names_a_module(
    content: bytes, used: str
) -> None:
    python, rack = armed()
    python.begin(program("main.py", content=content))
    assert [kind for kind in INTERPRETER.kinds() if rack.get(kind) is None] == [used]


def test_entries_beyond_the_most_join_the_last_template() -> None:
    installed = ["a", "c", "d"]
    assert groups_of((), installed) == ()
    assert groups_of(("a b", "c"), installed) == (("a",), ("c",))
    assert groups_of(("a", "b", "c", "d"), installed) == (("a",), ("c", "d"))
    assert groups_of(("b", "c"), installed) == (("c",),)


def test_only_python_files_and_the_entry_point_are_searched_for_the_names_of_modules() -> None:
    assert names_any(program("main.py", "other.py", content=b"numpy"), ("numpy.random",))
    assert names_any(program("no suffix", content=b"numpy"), ("numpy",))
    files = (SourceFile("main.py", 0o644, b"pass\n"), SourceFile("words.txt", 0o644, b"numpy"))
    assert not names_any(replace(program("main.py"), files=files), ("numpy",))
