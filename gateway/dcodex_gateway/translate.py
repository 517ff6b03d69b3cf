"""From a caller's request to a Program and a Submit (pure): everything that may be wrong in a
request is found here, and said in a Rejected that names the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from hashlib import sha256

from dcodex_proto.classic import code_executor_pb2 as classic_pb
from dcodex_proto.v1 import executor_pb2 as pb
from dcodex_shared import limits as bounds
from dcodex_shared.errors import Reason, Rejected
from dcodex_shared.languages import BY_NAME, LANGUAGES, Language, find
from dcodex_shared.limits import Limits
from dcodex_shared.messages import Priority, Submit
from dcodex_shared.program import Program, SourceFile, pack_program

#: Run holds all output in memory, here and in the caller, in one message; Execute streams.
MAX_RUN_OUTPUT_BYTES = bounds.MAX_REQUEST_BYTES
DEFAULT_MODE = 0o644

_EXECUTION_ID = re.compile(r"[A-Za-z0-9._-]+")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PRIORITIES = {
    pb.PRIORITY_UNSPECIFIED: int(Priority.INTERACTIVE),
    pb.PRIORITY_INTERACTIVE: int(Priority.INTERACTIVE),
    pb.PRIORITY_BATCH: int(Priority.BATCH),
}
#: Options of the compiler that a request may use; they run in a sandbox, so this is for clarity.
_COMPILE_OPTIONS = (
    *("-O", "-std=", "-D", "-U", "-W", "-w", "-f", "-g", "-m", "-l", "-I"),
    *("-pedantic", "-ansi", "-pthread"),
)
_CACHE_POLICIES = frozenset(pb.CachePolicy.values())
_LIMIT_NAMES = tuple(field.name for field in fields(Limits))


@dataclass(frozen=True, slots=True)
class Terms:
    """What applies to one caller's requests: who it is, the operator's limits, what there is."""

    tenant: str
    #: Never above the ceiling.
    default: Limits
    ceiling: Limits
    #: (canonical name, version) pairs that the farm runs now; empty: not known, or none.
    offered: tuple[tuple[str, str], ...]
    #: The tenant's share against other tenants.
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Order:
    """A request that is fit to be submitted."""

    submit: Submit
    #: The packed program.
    payload: bytes
    #: What the caller knows the execution by.
    public_id: str
    #: EOF follows the program's own stdin.
    stdin_complete: bool


def order_run(
    start: pb.Start, terms: Terms, execution_id: str, deadline_s: float, trace: bool
) -> Order:
    """A Run: all stdin is there, and all output comes at once."""
    limits = _limits(start, terms)
    if limits.output_bytes > MAX_RUN_OUTPUT_BYTES:
        if start.HasField("limits") and start.limits.HasField("output_bytes"):
            raise _invalid(
                f"limits.output_bytes: Run answers at most {MAX_RUN_OUTPUT_BYTES} bytes, "
                f"got {limits.output_bytes}; use Execute"
            )
        values = {name: getattr(limits, name) for name in _LIMIT_NAMES}
        limits = Limits(**{**values, "output_bytes": MAX_RUN_OUTPUT_BYTES})
    return _order(
        start,
        _program(start, terms, limits, stdin_complete=True),
        terms,
        execution_id,
        deadline_s,
        streaming=False,
        trace=trace,
    )


def order_execute(
    start: pb.Start, terms: Terms, execution_id: str, deadline_s: float, trace: bool
) -> Order:
    """An Execute: output streams back, and stdin may follow."""
    program = _program(start, terms, _limits(start, terms), stdin_complete=start.stdin_complete)
    return _order(start, program, terms, execution_id, deadline_s, streaming=True, trace=trace)


def order_classic(
    request: classic_pb.CodeRequest,
    terms: Terms,
    execution_id: str,
    deadline_s: float,
    trace: bool,
) -> Order:
    """A request of the classic API."""
    language = find(request.language.strip())
    if language is None:
        raise _unknown_language(request.language, terms.offered)
    _check_offered(language, "", terms.offered)
    program = Program(
        language=language.name,
        files=(SourceFile(language.default_file, DEFAULT_MODE, request.code.encode()),),
        entry_point=language.default_file,
        args=(),
        compile_args=(),
        environment=(),
        stdin=request.stdin_data.encode(),
        stdin_complete=True,
        limits=terms.default,
    )
    start = pb.Start()
    return _order(start, program, terms, execution_id, deadline_s, streaming=True, trace=trace)


def _order(
    start: pb.Start,
    program: Program,
    terms: Terms,
    execution_id: str,
    deadline_s: float,
    *,
    streaming: bool,
    trace: bool,
) -> Order:
    priority = _PRIORITIES.get(start.priority)
    if priority is None:
        raise _invalid(f"priority: unknown value {start.priority}")
    if start.cache not in _CACHE_POLICIES:
        raise _invalid(f"cache: unknown value {start.cache}")
    client_key = start.execution_id
    if client_key:
        if len(client_key) > bounds.MAX_EXECUTION_ID_BYTES:
            raise _invalid(f"execution_id: at most {bounds.MAX_EXECUTION_ID_BYTES} bytes")
        if not _EXECUTION_ID.fullmatch(client_key):
            raise _invalid("execution_id: only A-Z, a-z, 0-9, '.', '_' and '-' are allowed")
    if start.labels:
        _check_labels(start.labels.items())
    payload = pack_program(program)
    cached = program.stdin_complete and start.cache != pb.CACHE_POLICY_BYPASS
    submit = Submit(
        execution_id=execution_id,
        tenant=terms.tenant,
        language=program.language,
        priority=priority,
        deadline_s=deadline_s,
        streaming=streaming,
        window_bytes=bounds.OUTPUT_WINDOW_BYTES,
        wall_limit_s=program.limits.wall_s,
        cache_key=sha256(payload).digest() if cached else b"",
        client_key=client_key,
        trace=trace,
        tenant_weight=terms.weight,
        piece_bytes=bounds.MAX_OUTPUT_BYTES,
        widest_window_bytes=bounds.WIDEST_WINDOW_BYTES if streaming else 0,
    )
    return Order(submit, payload, client_key or execution_id, program.stdin_complete)


def _program(start: pb.Start, terms: Terms, limits: Limits, *, stdin_complete: bool) -> Program:
    language = BY_NAME.get(start.language.lower())
    if language is None:
        raise _unknown_language(start.language, terms.offered)
    _check_offered(language, start.version, terms.offered)
    files = _files(start, language)
    return Program(
        language=language.name,
        files=files,
        entry_point=_entry_point(start.entry_point, files, language),
        args=_args(start.args) if start.args else (),
        compile_args=_compile_args(start.compile_args, language) if start.compile_args else (),
        environment=_environment(start) if start.environment else (),
        stdin=start.stdin,
        stdin_complete=stdin_complete,
        limits=limits,
    )


# --- languages -------------------------------------------------------------------------------


def _unknown_language(name: str, offered: tuple[tuple[str, str], ...]) -> Rejected:
    _check_any(offered)
    what = f"unknown language {name[:64]!r}" if name else "no language given"
    return _invalid(f"language: {what}; this farm runs {_known(offered)}")


def _check_offered(language: Language, version: str, offered: tuple[tuple[str, str], ...]) -> None:
    _check_any(offered)
    versions = [candidate for name, candidate in offered if name == language.name]
    if not versions:
        raise _invalid(
            f"language: {language.name} is not available here; this farm runs {_known(offered)}"
        )
    if version and not any(
        candidate == version or candidate.startswith(version + ".") for candidate in versions
    ):
        raise _invalid(
            f"version: this farm runs {language.name} {', '.join(versions)}, not {version[:64]!r}"
        )


def _check_any(offered: tuple[tuple[str, str], ...]) -> None:
    if not offered:
        raise Rejected(Reason.UNAVAILABLE, "no worker is there yet", retry_after_s=1.0)


def _known(offered: tuple[tuple[str, str], ...]) -> str:
    names = {name for name, _ in offered}
    spellings = []
    for language in LANGUAGES:
        if language.name in names:
            aliases = f" ({', '.join(language.aliases)})" if language.aliases else ""
            spellings.append(language.name + aliases)
    return ", ".join(spellings) or "none that this gateway knows"


# --- files -----------------------------------------------------------------------------------


def _files(start: pb.Start, language: Language) -> tuple[SourceFile, ...]:
    if start.source and start.files:
        raise _invalid("source and files: give one of them, not both")
    if start.source:
        return (SourceFile(language.default_file, DEFAULT_MODE, start.source),)
    if not start.files:
        raise _invalid("source or files: one of them must be given")
    if len(start.files) > bounds.MAX_FILES:
        raise _invalid(f"files: at most {bounds.MAX_FILES}, got {len(start.files)}")
    files = []
    taken: set[str] = set()
    for index, file in enumerate(start.files):
        where = f"files[{index}]"
        check_path(file.path, f"{where}.path")
        if file.path in taken:
            raise _invalid(f"{where}.path: {file.path!r} is given twice")
        taken.add(file.path)
        if file.mode & ~0o777:
            raise _invalid(f"{where}.mode: only the bits of 0777 are allowed, got {file.mode:#o}")
        files.append(SourceFile(file.path, file.mode or DEFAULT_MODE, file.content))
    for index, file in enumerate(start.files):
        parent = file.path
        while parent := parent.rpartition("/")[0]:
            if parent in taken:
                raise _invalid(
                    f"files[{index}].path: {parent!r} cannot be a file and a directory at once"
                )
    return tuple(files)


def check_path(path: str, where: str) -> None:
    """Raise Rejected unless the path stays below the directory it is taken from."""
    if not path:
        raise _invalid(f"{where}: must not be empty")
    if "\0" in path:
        raise _invalid(f"{where}: must not hold a NUL")
    if path.startswith("/"):
        raise _invalid(f"{where}: must be relative, got {path!r}")
    # Lengths first: what is quoted in a message below stays short.
    if len(path.encode()) > bounds.MAX_PATH_BYTES:
        raise _invalid(f"{where}: at most {bounds.MAX_PATH_BYTES} bytes")
    for component in path.split("/"):
        if component in ("", ".", ".."):
            raise _invalid(
                f"{where}: must be of normal components, without {component or '//'!r}, "
                f"got {path!r}"
            )
        if len(component.encode()) > bounds.MAX_NAME_BYTES:
            raise _invalid(f"{where}: at most {bounds.MAX_NAME_BYTES} bytes between slashes")


def _entry_point(asked: str, files: tuple[SourceFile, ...], language: Language) -> str:
    paths = [file.path for file in files]
    if asked:
        if asked not in paths:
            raise _invalid(f"entry_point: {asked[: bounds.MAX_PATH_BYTES]!r} is not a given file")
        return asked
    if len(paths) == 1:
        return paths[0]
    if language.default_file in paths:
        return language.default_file
    raise _invalid(f"entry_point: must be given, there is no {language.default_file} in files")


# --- argv, environment, labels, limits -------------------------------------------------------


def _compile_args(options: Iterable[str], language: Language) -> tuple[str, ...]:
    """Options that change what is compiled, none that names files of the compile's own."""
    if not language.compiled:
        raise _invalid(f"compile_args: {language.name} is not compiled")
    checked = _args(options, "compile_args")
    for option in checked:
        if not option.startswith(_COMPILE_OPTIONS):
            raise _invalid(
                f"compile_args: {option[:64]!r} is not allowed; options begin with one of "
                + " ".join(_COMPILE_OPTIONS)
            )
    return checked


def _args(args: Iterable[str], field: str = "args") -> tuple[str, ...]:
    taken = tuple(args)
    if len(taken) > bounds.MAX_ARGS:
        raise _invalid(f"{field}: at most {bounds.MAX_ARGS}, got {len(taken)}")
    total = 0
    for index, arg in enumerate(taken):
        if "\0" in arg:
            raise _invalid(f"{field}[{index}]: must not hold a NUL")
        total += _argument_bytes(arg, f"{field}[{index}]")
    _check_total(total, field)
    return taken


def _environment(start: pb.Start) -> tuple[tuple[str, str], ...]:
    pairs = tuple(sorted(start.environment.items()))
    if len(pairs) > bounds.MAX_ENVIRONMENT:
        raise _invalid(f"environment: at most {bounds.MAX_ENVIRONMENT}, got {len(pairs)}")
    total = 0
    for name, value in pairs:
        if not _ENVIRONMENT_NAME.fullmatch(name):
            raise _invalid(
                f"environment: a name is of letters, digits and '_' and begins with no digit, "
                f"got {name[:64]!r}"
            )
        if "\0" in value:
            raise _invalid(f"environment: the value of {name[:64]} must not hold a NUL")
        total += _argument_bytes(f"{name}={value}", f"environment: {name[:64]}")
    _check_total(total + sum(len(arg.encode()) for arg in start.args), "args and environment")
    return pairs


def _argument_bytes(text: str, where: str) -> int:
    size = len(text.encode())
    if size > bounds.MAX_ONE_ARGUMENT_BYTES:
        raise _invalid(f"{where}: at most {bounds.MAX_ONE_ARGUMENT_BYTES} bytes, got {size}")
    return size


def _check_total(size: int, where: str) -> None:
    if size > bounds.MAX_ARGUMENT_BYTES:
        raise _invalid(f"{where}: at most {bounds.MAX_ARGUMENT_BYTES} bytes together, got {size}")


def _check_labels(labels: Iterable[tuple[str, str]]) -> None:
    pairs = tuple(labels)
    if len(pairs) > bounds.MAX_LABELS:
        raise _invalid(f"labels: at most {bounds.MAX_LABELS}, got {len(pairs)}")
    for name, value in pairs:
        if max(len(name.encode()), len(value.encode())) > bounds.MAX_LABEL_BYTES:
            raise _invalid(
                f"labels: at most {bounds.MAX_LABEL_BYTES} bytes each side, got {name[:64]!r}"
            )


def _limits(start: pb.Start, terms: Terms) -> Limits:
    if not start.HasField("limits"):
        return terms.default
    given = start.limits
    asked = {field.name: getattr(given, field.name) for field, _ in given.ListFields()}
    return bounds.resolve(asked, terms.default, terms.ceiling)


def _invalid(message: str) -> Rejected:
    return Rejected(Reason.INVALID_ARGUMENT, message)
