"""Settings: flag over environment over file over default, and errors that name key and fix."""

from __future__ import annotations

import argparse
import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from dcodex_shared.config import (
    CommonSettings,
    ConfigError,
    CoordinatorSettings,
    GatewaySettings,
    WorkerSettings,
    add_flags,
    known_keys,
    load,
    parse_settings,
)


def gateway(
    *flags: str, environment: Mapping[str, str] | None = None, file: Path | None = None
) -> GatewaySettings:
    parser = argparse.ArgumentParser()
    add_flags(parser, GatewaySettings)
    argv = [*flags, *(("--config", str(file)) if file else ())]
    return load(GatewaySettings, parser.parse_args(argv), environment or {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "dcodex.toml"
    path.write_text("port = 1001\nhost = '127.0.0.3'\nmax_wall_limit = '20s'\n")
    return path


def test_a_flag_wins_over_environment_over_file_over_default(file: Path) -> None:
    environment = {"DCODEX_PORT": "1002", "DCODEX_HOST": "127.0.0.2"}
    settings = gateway("--port=1003", environment=environment, file=file)
    assert settings.port == 1003
    assert settings.host == "127.0.0.2"
    assert settings.max_wall_limit == 20.0
    assert settings.sandbox_cpu_limit == 1.0


def test_a_flag_has_both_spellings() -> None:
    assert gateway("--sandbox_memory_limit=1GB").sandbox_memory_limit == 1 << 30
    assert gateway("--sandbox-memory-limit", "1GB").sandbox_memory_limit == 1 << 30


def test_the_file_may_be_named_by_the_environment(file: Path) -> None:
    assert gateway(environment={"DCODEX_CONFIG": str(file)}).port == 1001


def test_a_switch_needs_no_value() -> None:
    assert gateway("--insecure").insecure
    assert not gateway("--reflection=no").reflection


@pytest.mark.parametrize(
    ("flags", "environment", "words"),
    [
        (("--port=x",), {}, "--port: expected a whole number"),
        ((), {"DCODEX_SANDBOX_WALL_LIMIT": "soon"}, "DCODEX_SANDBOX_WALL_LIMIT: expected"),
        (("--log_level=loud",), {}, "log_level must be one of"),
        (("--config=/nowhere/at/all",), {}, "cannot read /nowhere"),
    ],
)
def test_an_error_names_the_key_and_where_it_came_from(
    flags: tuple[str, ...], environment: dict[str, str], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        gateway(*flags, environment=environment)


#: Any text will do for them; what it must name is checked where it is used.
FREE = frozenset(("str", "_names"))


@pytest.mark.parametrize("cls", [GatewaySettings, CoordinatorSettings, WorkerSettings])
@pytest.mark.parametrize("value", ["?!", "nan", "-1"])
def test_every_key_says_what_it_wants_in_place_of_nonsense(
    cls: type[CommonSettings], value: str
) -> None:
    for member in dataclasses.fields(cls):
        name = member.name
        if member.metadata["parse"].__name__ in FREE and not name.startswith("log_"):
            continue
        variable = f"DCODEX_{name.upper()}"
        with pytest.raises(ConfigError) as error:
            load(cls, argparse.Namespace(), {variable: value})
        words = str(error.value)
        assert variable in words or name in words
        assert re.search(r"expected|must be", words), words
        assert len(words.splitlines()) == 1


@pytest.mark.parametrize(
    ("cls", "flag"),
    [
        (GatewaySettings, "max_wall_limit=0"),
        (GatewaySettings, "sandbox_cpu_limit=0s"),
        (GatewaySettings, "sandbox_memory_limit=1KB"),
        (GatewaySettings, "sandbox_process_limit=0"),
        (GatewaySettings, "max_request_bytes=0"),
        (GatewaySettings, "port=70000"),
        (GatewaySettings, "trace_ratio=1.5"),
        (CoordinatorSettings, "max_queued=0"),
        (CoordinatorSettings, "scale_up_latency_ms=0"),
        (CoordinatorSettings, "language_weights=cobol=2"),
        (CoordinatorSettings, "language_weights=c=inf"),
        (WorkerSettings, "slots=0"),
        (WorkerSettings, "tmpfs_bytes=0"),
        (WorkerSettings, "compile_wall_limit=0"),
    ],
)
def test_a_value_with_which_nothing_would_run_is_refused(
    cls: type[CommonSettings], flag: str
) -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser, cls)
    with pytest.raises(ConfigError, match=f"^--{flag.partition('=')[0]}: "):
        load(cls, parser.parse_args([f"--{flag}"]), {})


def test_an_unknown_key_in_the_file_gets_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "dcodex.toml"
    path.write_text("sandbox_wal_limit = 1\n")
    with pytest.raises(ConfigError, match=r"did you mean sandbox_wall_limit\?"):
        gateway(file=path)


def test_a_file_that_is_no_toml_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "dcodex.toml"
    path.write_text("= 1")
    with pytest.raises(ConfigError, match="not TOML"):
        gateway(file=path)


def test_a_wrong_setting_ends_the_process_with_status_two_and_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end:
        parse_settings(GatewaySettings, ["--port=x"], {}, "dcodex-gateway", "About.")
    assert end.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_endpoints_stand_in_the_runtime_directory() -> None:
    settings = gateway("--runtime_dir=/run/elsewhere")
    assert settings.gateway_endpoint == "ipc:///run/elsewhere/gateways.sock"


def test_the_pool_has_a_smallest_and_a_largest_size() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser, CoordinatorSettings)
    for flags in (["--min_workers=0"], ["--min_workers=5", "--max_workers=4"]):
        with pytest.raises(ConfigError, match="min_workers"):
            load(CoordinatorSettings, parser.parse_args(flags), {})


def test_lists_and_weights_are_read_from_text_and_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "dcodex.toml"
    path.write_text("preload = ['numpy', 'pandas']\n[language_weights]\npython = 2\n")
    parser = argparse.ArgumentParser()
    add_flags(parser, CoordinatorSettings, WorkerSettings)
    arguments = parser.parse_args([f"--config={path}"])
    assert load(WorkerSettings, arguments, {}).preload == ("numpy", "pandas")
    assert load(CoordinatorSettings, arguments, {}).language_weights == (("python", 2.0),)
    with pytest.raises(ConfigError, match="NAME=WEIGHT"):
        load(CoordinatorSettings, parser.parse_args(["--language_weights=python"]), {})


def test_the_help_of_every_key_says_something() -> None:
    assert all(known_keys().values())
    assert "sandbox_cpu_limit" in known_keys()
