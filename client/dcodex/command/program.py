"""The program that `dcodex run` was asked to run: its files, language and limits."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from dcodex.requests import Options
from dcodex.values import File, Limits

#: What a file name says where --language does not; the service knows aliases, not extensions.
LANGUAGE_BY_EXTENSION = {
    ".py": "python",
    ".c": "c",
    ".cpp": "cpp",
    ".cc": "cpp",
    ".cxx": "cpp",
}

_AMOUNT = re.compile(r"([0-9]*\.?[0-9]+)\s*([a-zA-Z]*)")
_SECONDS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "m": 60.0, "min": 60.0, "h": 3600.0}
_BYTES = {"": 1, "B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def seconds(text: str) -> float:
    """An argparse type: "500ms", "1.5", "2m"."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None or match[2].lower() not in _SECONDS:
        raise argparse.ArgumentTypeError(f"expected a duration like 2s or 500ms, got {text!r}")
    return float(match[1]) * _SECONDS[match[2].lower()]


def size(text: str) -> int:
    """An argparse type: "64KB", "1GiB", "4096"."""
    match = _AMOUNT.fullmatch(text.strip())
    unit = match[2].upper() if match else "?"
    unit = unit if unit == "B" else unit.removesuffix("B").removesuffix("I")
    if match is None or unit not in _BYTES:
        raise argparse.ArgumentTypeError(f"expected a size like 64KB or 1GB, got {text!r}")
    return int(float(match[1]) * _BYTES[unit])


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that describe a program."""
    group = parser.add_argument_group("program")
    group.add_argument("--language", "-l", help="default: told by FILE's extension")
    group.add_argument("--lang-version", metavar="PREFIX", default="", help='as "3.11"')
    group.add_argument(
        "--file",
        action="append",
        default=[],
        metavar="PATH[=NAME]",
        help="another file of the program, under its base name or NAME; may be repeated",
    )
    group.add_argument(
        "--env", "-e", action="append", default=[], metavar="NAME=VALUE", help="may be repeated"
    )
    group.add_argument("--no-cache", action="store_true", help="run it even if a result is cached")
    group.add_argument("--batch", action="store_true", help="give way to interactive requests")
    limits = parser.add_argument_group("limits (default: the farm's)")
    limits.add_argument("--cpu", type=seconds, help="CPU time, as 2s or 500ms")
    limits.add_argument("--wall", type=seconds, help="wall time")
    limits.add_argument("--memory", type=size, help="memory, as 256MB")
    limits.add_argument("--output", type=size, help="stdout and stderr together, as 1MB")
    limits.add_argument("--processes", type=int, help="processes and threads at one time")
    limits.add_argument("--file-size", type=size, help="the largest file it may write")
    limits.add_argument("--open-files", type=int, help="descriptors in each process")


def read_options(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Options:
    """The request for these flags; OSError or ValueError with a message where one is wrong."""
    path: str = arguments.program
    if path == "-":
        content = sys.stdin.buffer.read()
        name = f"main{_extension(arguments.language)}"
    else:
        content = Path(path).read_bytes()
        name = os.path.basename(path)
    files: dict[str, str | bytes | File] = {name: content}
    for extra in arguments.file:
        local, _, remote = extra.partition("=")
        remote = remote or os.path.basename(local)
        if remote in files:
            raise ValueError(f"two files would be called {remote}; name one with PATH=NAME")
        files[remote] = _read_file(local)
    return Options(
        language=_language(arguments.language, path),
        version=arguments.lang_version,
        files=files,
        entry_point=name,
        args=arguments.args,
        env=_environment(arguments.env, environment),
        cache=not arguments.no_cache,
        priority="batch" if arguments.batch else "interactive",
        limits=Limits(
            cpu_s=arguments.cpu,
            wall_s=arguments.wall,
            memory_bytes=arguments.memory,
            output_bytes=arguments.output,
            processes=arguments.processes,
            file_size_bytes=arguments.file_size,
            open_files=arguments.open_files,
        ),
    )


def _read_file(path: str) -> File:
    mode = os.stat(path).st_mode
    return File(Path(path).read_bytes(), 0o755 if mode & 0o100 else 0)


def _language(asked: str | None, path: str) -> str:
    if asked:
        return asked
    language = LANGUAGE_BY_EXTENSION.get(os.path.splitext(path)[1].lower())
    if language is None:
        raise ValueError(f"cannot tell the language of {path!r}: say --language")
    return language


def _extension(asked: str | None) -> str:
    for extension, language in LANGUAGE_BY_EXTENSION.items():
        if asked and asked.lower() in (language, extension[1:], "c++" if language == "cpp" else ""):
            return extension
    return ".py"


def _environment(pairs: list[str], local: Mapping[str, str]) -> dict[str, str]:
    """NAME=VALUE pairs; a NAME alone takes the local value, as `docker run -e` has it."""
    environment = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals and name not in local:
            raise ValueError(f"--env {name}: not set here; give it as {name}=VALUE")
        environment[name] = value if equals else local[name]
    return environment
