"""Python: a warm interpreter goes on with the program's file.

There are several: a small one, and larger ones with modules that the operator lists. Each
megabyte of a template makes every fork of it dearer, and its end; so a larger one is for
programs whose text names one of its modules. Where that guess is wrong a program imports by
itself, as it would by hand.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

from dcodex_shared.config import WorkerSettings
from dcodex_shared.languages import BY_NAME
from dcodex_shared.program import Program
from dcodex_worker.runtimes.command_line import environment_of
from dcodex_worker.runtimes.names import not_an_option
from dcodex_worker.runtimes.rack import Rack
from dcodex_worker.runtimes.stage import Stage
from dcodex_worker.sandbox import mounts
from dcodex_worker.sandbox.box import Launch, Sandbox, SetupError
from dcodex_worker.template.serve import STANDARD
from dcodex_worker.template.starter import TemplatePlan

#: The interpreter of the programs, where the operator names none.
SYSTEM_INTERPRETER = "/usr/bin/python3"
#: Asking an interpreter for its version, in seconds.
PROBE_TIMEOUT_S = 20.0
#: The inside's code is written for this version and later.
OLDEST = (3, 10)
#: What the interpreter reads before any program: these must be there when it starts.
_START_PREFIXES = ("PYTHON", "LD_", "MALLOC_", "GLIBC_", "LANG", "LC_", "TZ")
#: What a package reads when it is imported (matplotlib), as variables and as a file.
_IMPORT_PREFIXES = ("HOME", "XDG_", "MPL", "MATPLOTLIBRC")
_IMPORT_FILE = "matplotlibrc"
#: What every zip file has near its end, whatever stands before it.
_ARCHIVE = b"PK\x05\x06"

#: The kind of sandbox of the small template, and its name.
SMALL = "python"
#: Larger templates, each of which costs every worker some megabytes.
MOST_GROUPS = 2

_PROBE = (
    "import json, platform, sys; from importlib.util import find_spec; print(json.dumps("
    "[platform.python_version(), list(sys.version_info[:2]), sys.prefix, sys.base_prefix,"
    " [name for name in sys.argv[1:] if find_spec(name.partition('.')[0])]]))"
)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter for programs."""

    path: str
    version: str
    #: Directories outside /usr that it needs.
    extra: tuple[str, ...]
    #: What each larger template imports: those of the operator's modules that are installed.
    groups: tuple[tuple[str, ...], ...]

    def kinds(self) -> tuple[str, ...]:
        """The kinds of sandboxes, the smallest first."""
        return (SMALL, *(group_kind(number) for number in range(len(self.groups))))


def find(settings: WorkerSettings) -> Interpreter:
    """The interpreter that the settings name, or this machine's; raises SetupError."""
    path = path_of(settings)
    try:
        output = subprocess.run(
            [path, "-I", "-c", _PROBE, *" ".join(settings.preload).split()],
            capture_output=True,
            timeout=PROBE_TIMEOUT_S,
            check=True,
        ).stdout
        version, numbers, prefix, base, installed = json.loads(output)
    except OSError as error:
        raise SetupError("python", 0, f"cannot use {path}: {error.strerror}") from error
    except (subprocess.SubprocessError, ValueError) as error:
        text = f"cannot use {path}: it does not answer as a Python interpreter"
        raise SetupError("python", 0, text) from error
    if tuple(numbers) < OLDEST:
        raise SetupError("python", 0, f"{path} is {version}; 3.10 or later is needed")
    real = os.path.dirname(os.path.realpath(path))
    outside = {
        folder
        for folder in (prefix, base, os.path.dirname(real) if "/bin" in real else real)
        if folder != "/usr" and not folder.startswith("/usr/bin") and folder != "/"
    }
    for folder in sorted(outside):
        refuse_private(folder)
    return Interpreter(
        path, version, tuple(sorted(outside)), groups_of(settings.preload, installed)
    )


def path_of(settings: WorkerSettings) -> str:
    """Where the interpreter is that the settings name, or this machine's."""
    if settings.python_venv:
        return os.path.join(os.path.abspath(settings.python_venv), "bin", "python3")
    if settings.python:
        return os.path.abspath(settings.python)
    if os.path.exists(SYSTEM_INTERPRETER):
        return SYSTEM_INTERPRETER
    # Never dcodex's own virtual environment: its base.
    return os.path.join(sys.base_prefix, "bin", "python3")


def refuse_private(folder: str) -> None:
    """Raise SetupError for a folder where programs have files of their own."""
    if f"{folder}/".startswith(tuple(f"{place}/" for place in mounts.PRIVATE)):
        raise SetupError(
            "python", 0, f"{folder} is not shown to programs, whose own files are there: move it"
        )


def groups_of(preload: tuple[str, ...], installed: list[str]) -> tuple[tuple[str, ...], ...]:
    """The modules of each larger template; those of entries beyond the most join the last one."""
    entries = [entry.split() for entry in preload]
    entries[MOST_GROUPS - 1 :] = [[name for entry in entries[MOST_GROUPS - 1 :] for name in entry]]
    groups = (tuple(name for name in entry if name in installed) for entry in entries)
    return tuple(group for group in groups if group)


def group_kind(number: int) -> str:
    """The kind of sandbox of a larger template, and its name."""
    return f"{SMALL}-{number + 1}"


def template_plans(interpreter: Interpreter) -> tuple[TemplatePlan, ...]:
    """The small template and the larger ones."""
    return tuple(
        TemplatePlan(kind, interpreter.path, (*STANDARD, *group), interpreter.extra)
        for kind, group in zip(interpreter.kinds(), ((), *interpreter.groups), strict=True)
    )


class ArmedPython:
    """Sandboxes with the interpreter already running in them; one is used."""

    language = "python"
    compile_cache_hit = False

    def __init__(self, rack: Rack, interpreter: Interpreter) -> None:
        """rack: has a sandbox of each kind that there is a template for."""
        self._rack = rack
        self._interpreter = interpreter
        self._sandbox: Sandbox | None = None

    def preparing(self) -> int:
        """The interpreter is started when its sandbox is armed."""
        return -1

    def listener(self) -> int:
        """Nothing is started ahead that could ask."""
        return -1

    def answer(self, happened: int) -> None:
        """Nothing asks."""

    def begin(self, program: Program) -> Stage:
        """Run it; warm where it starts as the template would, by a fresh start otherwise.

        A fresh start in the same sandbox is for an entry point that a command would take for an
        option, and for any but main.py where the template cannot open another one; for variables
        that an interpreter reads at its start, for archives, and in a larger template for what its
        modules have read when they were imported.
        """
        entry = program.entry_point
        kind = self._kind(program)
        spare = self._rack.get(kind)
        assert spare is not None
        prefixes = _START_PREFIXES if kind == SMALL else _START_PREFIXES + _IMPORT_PREFIXES
        warm = (
            (spare.sandbox.any_name or entry == BY_NAME["python"].default_file)
            and entry == not_an_option(entry)
            and not any(name.startswith(prefixes) for name, _ in program.environment)
            and not any(_ARCHIVE in file.content for file in program.files)
            and (kind == SMALL or not has_settings(program))
        )
        if warm:
            argv: tuple[str, ...] = (entry, *program.args)
        else:
            argv = (self._interpreter.path, "-u", not_an_option(entry), *program.args)
        launch = Launch(
            files=program.files,
            argv=argv,
            environment=environment_of(program),
            limits=program.limits,
            warm=warm,
            path="" if warm else self._interpreter.path,
        )
        self._sandbox = self._rack.take(kind if warm else SMALL)
        return Stage(self._sandbox, launch, compiling=False)

    def _kind(self, program: Program) -> str:
        """What suits it: of the larger templates, the last one that it names a module of."""
        groups = self._interpreter.groups
        for number in reversed(range(len(groups))):
            if names_any(program, groups[number]):
                return group_kind(number)
        return SMALL

    def after_compile(self) -> Stage:
        """Python is not compiled."""
        raise AssertionError("no compile stage")

    def run_begun(self) -> None:
        """Nothing is kept."""

    def destroy(self) -> None:
        """Kill what is left and wait for it."""
        if self._sandbox is not None:
            self._sandbox.destroy()


def has_settings(program: Program) -> bool:
    """Whether a file of the program is one that a package reads when it is imported."""
    return any(os.path.basename(file.path) == _IMPORT_FILE for file in program.files)


def names_any(program: Program, modules: tuple[str, ...]) -> bool:
    """Whether a Python file of the program has the name of one of these in it, anywhere."""
    names = {name.partition(".")[0].encode() for name in modules}
    texts = [
        file.content
        for file in program.files
        if file.path.endswith(".py") or file.path == program.entry_point
    ]
    return any(name in text for name in names for text in texts)
