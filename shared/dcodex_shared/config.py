"""Every setting of every process: read once, validated, frozen, passed in.

One table says all: a field of a settings class is at once a flag (`--sandbox_cpu_limit` or
`--sandbox-cpu-limit`), an environment variable (DCODEX_SANDBOX_CPU_LIMIT) and a key of the
TOML file named by --config. Flag over environment over file over default.
"""

from __future__ import annotations

import argparse
import difflib
import os
import tempfile
import tomllib
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from dcodex_shared import guarantees
from dcodex_shared.languages import BY_NAME
from dcodex_shared.limits import (
    COMPILE_LIMITS,
    DEFAULT_CEILING,
    DEFAULT_LIMITS,
    KIB,
    MAX_REQUEST_BYTES,
    MIB,
)
from dcodex_shared.placement import AUTO, check, parse_cpus
from dcodex_shared.quantities import (
    parse_bytes,
    parse_count,
    parse_port,
    parse_positive,
    parse_seconds,
    parse_share,
    parse_switch,
)

#: No program does anything in less, in seconds.
LEAST_S = 0.01


class ConfigError(Exception):
    """A setting is wrong; the message names the key and the fix, in one line."""


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _weights(text: str) -> tuple[tuple[str, float], ...]:
    pairs = []
    for part in _names(text):
        name, equals, weight = part.partition("=")
        if not equals or name not in BY_NAME:
            raise ValueError(f"expected NAME=WEIGHT, as in python=2,cpp=1, got {part!r}")
        pairs.append((BY_NAME[name].name, parse_positive(weight)))
    return tuple(pairs)


Parser = Callable[[str], Any]


def _setting(default: Any, parse: Parser, text: str, least: float | None = None) -> Any:
    """least: with less than this the process could do nothing; None: any will do."""
    return field(default=default, metadata={"parse": parse, "help": text, "least": least})


def default_runtime_dir() -> str:
    """Where sockets live: /run/dcodex for root, the user's own runtime directory otherwise."""
    if os.geteuid() == 0:
        return "/run/dcodex"
    return os.path.join(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir(), "dcodex")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonSettings:
    """What every process has."""

    runtime_dir: str = _setting("", str, "directory of the local sockets (made with mode 0700)")
    service_cpus: str = _setting(
        AUTO,
        parse_cpus,
        "CPUs for our own threads, not for programs: any, or a list as 0,2-3; auto: "
        "`dcodex up` takes one CPU on small machines",
    )
    log_level: str = _setting("info", str, "debug, info, warning or error")
    log_format: str = _setting("human", str, "human, or json: one object a line")
    metrics_host: str = _setting("127.0.0.1", str, "address of the metrics port")
    metrics_port: int = _setting(0, parse_port, "Prometheus port; 0: any free one, logged")
    insecure: bool = _setting(
        False, parse_switch, "allow TCP between the processes without keys (nobody else listens in)"
    )
    key_file: str = _setting(
        "", str, "CURVE key pair of this process for TCP, from `dcodex keys new`"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings(CommonSettings):
    """The gateway's."""

    host: str = _setting("127.0.0.1", str, "address to serve gRPC on")
    port: int = _setting(50051, parse_port, "port to serve gRPC on; 0: any free one, logged")
    gateway_endpoint: str = _setting(
        "", str, "where the coordinator awaits gateways (default: ipc in the runtime directory)"
    )
    coordinator_key: str = _setting("", str, "file of the coordinator's public key, with key_file")
    tls_certificate: str = _setting("", str, "PEM certificate chain to serve TLS with")
    tls_key: str = _setting("", str, "PEM private key of tls_certificate")
    tls_client_ca: str = _setting(
        "",
        str,
        "PEM certificates of those who sign callers' certificates: asks for one (mutual TLS)",
    )
    tokens: str = _setting("", str, "TOML file of callers' tokens (their hashes) and what they may")
    allow_anonymous: bool = _setting(
        False, parse_switch, "let callers in without a token or certificate, also off loopback"
    )
    share_port: bool = _setting(
        False, parse_switch, "let more gateways of the same user serve the same port"
    )
    reflection: bool = _setting(True, parse_switch, "serve gRPC reflection")
    max_request_bytes: int = _setting(
        MAX_REQUEST_BYTES, parse_bytes, "largest gRPC message", least=64 * KIB
    )
    otlp_endpoint: str = _setting(
        "", str, "OTLP/HTTP collector of traces, as http://HOST:4318 (needs dcodex[otel])"
    )
    trace_ratio: float = _setting(
        0.1, parse_share, "share of calls to trace, 0 to 1, of those without a traceparent"
    )
    drain_grace: float = _setting(30.0, parse_seconds, "how long running programs may go on")
    sandbox_cpu_limit: float = _setting(
        DEFAULT_LIMITS.cpu_s, parse_seconds, "default CPU time", least=LEAST_S
    )
    sandbox_wall_limit: float = _setting(
        DEFAULT_LIMITS.wall_s, parse_seconds, "default wall time", least=LEAST_S
    )
    sandbox_memory_limit: int = _setting(
        DEFAULT_LIMITS.memory_bytes, parse_bytes, "default memory", least=MIB
    )
    sandbox_output_limit: int = _setting(
        DEFAULT_LIMITS.output_bytes,
        parse_bytes,
        "default output, stdout and stderr together",
        least=1,
    )
    sandbox_process_limit: int = _setting(
        DEFAULT_LIMITS.processes, parse_count, "default number of processes and threads", least=1
    )
    max_cpu_limit: float = _setting(
        DEFAULT_CEILING.cpu_s,
        parse_seconds,
        "the most CPU time a request may ask for",
        least=LEAST_S,
    )
    max_wall_limit: float = _setting(
        DEFAULT_CEILING.wall_s,
        parse_seconds,
        "the most wall time a request may ask for",
        least=LEAST_S,
    )
    max_memory_limit: int = _setting(
        DEFAULT_CEILING.memory_bytes,
        parse_bytes,
        "the most memory a request may ask for",
        least=MIB,
    )
    max_output_limit: int = _setting(
        DEFAULT_CEILING.output_bytes, parse_bytes, "the most output a request may ask for", least=1
    )
    max_process_limit: int = _setting(
        DEFAULT_CEILING.processes, parse_count, "the most processes a request may ask for", least=1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinatorSettings(CommonSettings):
    """The coordinator's."""

    gateway_endpoint: str = _setting(
        "", str, "where to await gateways (default: ipc in the runtime directory)"
    )
    worker_endpoint: str = _setting(
        "", str, "where to await hosts and workers (default: ipc in the runtime directory)"
    )
    allowed_keys: str = _setting(
        "", str, "public keys that may connect: a directory of gateways/*.pub and hosts/*.pub"
    )
    min_workers: int = _setting(2, parse_count, "the pool is never smaller")
    max_workers: int = _setting(20, parse_count, "the pool is never larger")
    scale_up_latency_ms: float = _setting(
        100.0, parse_positive, "the queue wait, in milliseconds, that the balancer defends"
    )
    cool_down: float = _setting(60.0, parse_seconds, "how long a peak is remembered")
    language_weights: tuple[tuple[str, float], ...] = _setting(
        (), _weights, "shares under contention, as python=2,cpp=1 (default 1 each)"
    )
    max_queued: int = _setting(20_000, parse_count, "requests that may wait in all", least=1)
    max_queued_per_tenant: int = _setting(
        10_000, parse_count, "requests one tenant may have wait", least=1
    )
    cache_entries: int = _setting(1000, parse_count, "result cache entries; 0: no cache")
    cache_ttl: float = _setting(3600.0, parse_seconds, "how long a cached result is good")
    cache_bytes: int = _setting(64 * MIB, parse_bytes, "result cache size")
    cache_shared: bool = _setting(False, parse_switch, "let tenants share cached results")
    drain_grace: float = _setting(30.0, parse_seconds, "how long running programs may go on")


#: What programs import that takes long.
PRELOAD = ("numpy pandas scipy matplotlib",)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings(CommonSettings):
    """The worker host's."""

    name: str = _setting("", str, "this host's name (default: the machine's)")
    worker_endpoint: str = _setting(
        "", str, "where the coordinator awaits hosts (default: ipc in the runtime directory)"
    )
    coordinator_key: str = _setting("", str, "file of the coordinator's public key, with key_file")
    slots: int = _setting(64, parse_count, "the most workers on this host", least=1)
    languages: tuple[str, ...] = _setting(
        (), _names, "languages to offer, comma-separated (default: all that work here)"
    )
    python: str = _setting("", str, "interpreter of the programs (default /usr/bin/python3)")
    python_venv: str = _setting("", str, "virtual environment whose packages programs may import")
    preload: tuple[str, ...] = _setting(
        PRELOAD,
        _names,
        "modules to import ahead; each comma begins another Python template, two at most",
    )
    allow_degraded: tuple[str, ...] = _setting(
        (),
        guarantees.parse_names,
        "guarantees to do without where this machine lacks them, comma-separated: "
        + ", ".join(guarantees.DISPENSABLE),
    )
    cgroup_root: str = _setting("", str, "cgroup below which sandboxes get theirs (default: own)")
    tmpfs_bytes: int = _setting(
        256 * MIB, parse_bytes, "work directory, /tmp and /dev/shm: each", least=MIB
    )
    compile_cpu_limit: float = _setting(
        COMPILE_LIMITS.cpu_s, parse_seconds, "compiler CPU time", least=LEAST_S
    )
    compile_wall_limit: float = _setting(
        COMPILE_LIMITS.wall_s, parse_seconds, "compiler wall time", least=LEAST_S
    )
    compile_memory_limit: int = _setting(
        COMPILE_LIMITS.memory_bytes, parse_bytes, "compiler memory", least=MIB
    )
    compile_cache_dir: str = _setting("", str, "compile cache (default: /var/cache/dcodex)")
    compile_cache_bytes: int = _setting(512 * MIB, parse_bytes, "compile cache size; 0: no cache")
    drain_grace: float = _setting(30.0, parse_seconds, "how long running programs may go on")


S = TypeVar("S", bound=CommonSettings)


def add_flags(parser: argparse.ArgumentParser, *classes: type[CommonSettings]) -> None:
    """Give the parser every setting of these classes as a flag, and --config."""
    parser.add_argument("--config", metavar="FILE", help="TOML file of settings")
    seen: set[str] = set()
    for cls in classes:
        for member in fields(cls):
            if member.name in seen:
                continue
            seen.add(member.name)
            spellings = dict.fromkeys((f"--{member.name}", f"--{member.name.replace('_', '-')}"))
            is_switch = member.metadata["parse"] is parse_switch
            parser.add_argument(
                *spellings,
                dest=member.name,
                default=None,
                metavar=member.name.rpartition("_")[2].upper(),
                nargs="?" if is_switch else None,
                const="true" if is_switch else None,
                help=_help(member),
            )


def load(cls: type[S], arguments: argparse.Namespace, environment: Mapping[str, str]) -> S:
    """The settings of one process; raises ConfigError naming the key and where it came from."""
    table: dict[str, Any] = {}
    path = getattr(arguments, "config", None) or environment.get("DCODEX_CONFIG")
    if path:
        table = _read_file(Path(path))
    values: dict[str, Any] = {}
    for member in fields(cls):
        name = member.name
        variable = f"DCODEX_{name.upper()}"
        flag = getattr(arguments, name, None)
        if flag is not None:
            values[name] = _parse(member, flag, f"--{name}")
        elif variable in environment:
            values[name] = _parse(member, environment[variable], variable)
        elif name in table:
            values[name] = _parse(member, table[name], f"{path}: {name}")
    settings = cls(**values)
    return _with_defaults(cls, settings, values)


def parse_settings(
    cls: type[S], argv: Sequence[str], environment: Mapping[str, str], program: str, about: str
) -> S:
    """The settings from a command line; exits with status 2 and one line when one is wrong."""
    parser = argparse.ArgumentParser(prog=program, description=about)
    add_flags(parser, cls)
    arguments = parser.parse_args(argv)
    try:
        return load(cls, arguments, environment)
    except ConfigError as error:
        parser.exit(2, f"{program}: {error}\n")


def known_keys() -> dict[str, str]:
    """Every key of the configuration file with its help text."""
    keys: dict[str, str] = {}
    for cls in (CommonSettings, GatewaySettings, CoordinatorSettings, WorkerSettings):
        for member in fields(cls):
            keys.setdefault(member.name, member.metadata["help"])
    return keys


def _help(member: Field[Any]) -> str:
    default = "" if member.default is MISSING else member.default
    if isinstance(default, tuple):
        default = ",".join(map(str, default))
    text: str = member.metadata["help"]
    text = text.replace("%", "%%")
    return text if default in ("", False) else f"{text} (default {default})"


def _read_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    keys = known_keys()
    for key in table:
        if key not in keys:
            close = difflib.get_close_matches(key, keys, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ConfigError(f"{path}: unknown key {key}{hint}")
    return table


def _parse(member: Field[Any], value: Any, source: str) -> Any:
    if isinstance(value, list):
        value = ",".join(map(str, value))
    elif isinstance(value, dict):
        value = ",".join(f"{name}={weight}" for name, weight in value.items())
    try:
        parsed = member.metadata["parse"](str(value))
    except ValueError as error:
        raise ConfigError(f"{source}: {error}") from None
    least = member.metadata["least"]
    if least is not None and parsed < least:
        raise ConfigError(f"{source}: must be at least {least:g}, got {value!r}")
    return parsed


def _with_defaults(cls: type[S], settings: S, values: dict[str, Any]) -> S:
    """Fill in what depends on other settings, and check what spans several."""
    runtime_dir = settings.runtime_dir or default_runtime_dir()
    values = {**values, "runtime_dir": runtime_dir}
    names = {member.name for member in fields(cls)}
    for name in ("gateway_endpoint", "worker_endpoint"):
        if name in names and not values.get(name):
            values[name] = f"ipc://{runtime_dir}/{name.partition('_')[0]}s.sock"
    settings = cls(**values)
    _one_of("log_level", settings.log_level, ("debug", "info", "warning", "error"))
    _one_of("log_format", settings.log_format, ("human", "json"))
    try:
        check(settings.service_cpus)
    except ValueError as error:
        raise ConfigError(f"service_cpus: {error}") from None
    if isinstance(settings, CoordinatorSettings) and not (
        1 <= settings.min_workers <= settings.max_workers
    ):
        raise ConfigError(
            f"min_workers must be between 1 and max_workers ({settings.max_workers}), "
            f"got {settings.min_workers}"
        )
    return settings


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")


# A typo in an annotation would otherwise show only when that process starts.
for _cls in (GatewaySettings, CoordinatorSettings, WorkerSettings):
    typing.get_type_hints(_cls)
