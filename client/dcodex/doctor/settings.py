"""What stands in a configuration file and the files that it names: keys, certificates, tokens."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

from dcodex.doctor.certificates import NotACertificate, ends_of_pem
from dcodex.doctor.judge import judge_expiry
from dcodex_gateway import tls
from dcodex_gateway.tokens import parse_tokens
from dcodex_shared.config import (
    CommonSettings,
    ConfigError,
    CoordinatorSettings,
    GatewaySettings,
    WorkerSettings,
    load,
)
from dcodex_shared.findings import Finding
from dcodex_shared.keys import AllowedKeys, load_pair, load_public


def examine(path: str, environment: Mapping[str, str], now: float) -> Iterator[Finding]:
    """Everything about the file at `path`. now: seconds since 1970, to tell what has ended."""
    flags = argparse.Namespace(config=path)
    loaded: list[CommonSettings] = []
    for cls in (GatewaySettings, CoordinatorSettings, WorkerSettings):
        try:
            loaded.append(load(cls, flags, environment))
        except ConfigError as error:
            yield Finding("settings", False, True, str(error), "correct that key in the file")
            return
    yield Finding("settings", True, True, f"{path} is understood")
    gateway, coordinator = loaded[0], loaded[1]
    assert isinstance(gateway, GatewaySettings)
    assert isinstance(coordinator, CoordinatorSettings)
    yield from _keys(gateway, coordinator)
    yield from _certificates(gateway, now)
    if gateway.tokens:
        yield _tokens(gateway.tokens)


def _keys(gateway: GatewaySettings, coordinator: CoordinatorSettings) -> Iterator[Finding]:
    if not (gateway.key_file or gateway.coordinator_key or coordinator.allowed_keys):
        return
    try:
        if gateway.key_file:
            load_pair(Path(gateway.key_file))
        if gateway.coordinator_key:
            load_public(Path(gateway.coordinator_key))
        listed = None
        if coordinator.allowed_keys:
            listed = set().union(*AllowedKeys(Path(coordinator.allowed_keys)).read().values())
    except ConfigError as error:
        yield Finding("keys", False, True, str(error), "`dcodex keys new NAME` makes a pair")
        return
    if listed is not None and not listed:
        yield Finding(
            "keys",
            False,
            True,
            f"allowed_keys {coordinator.allowed_keys} holds none: nobody can connect",
            "copy gateways' and hosts' .pub files into its folders gateways/ and hosts/",
        )
        return
    text = "this process's pair is whole and its own"
    yield Finding(
        "keys", True, True, text if listed is None else f"{text}; {len(listed)} peers listed"
    )


def _certificates(gateway: GatewaySettings, now: float) -> Iterator[Finding]:
    try:
        tls.credentials(gateway)
        for setting in ("tls_certificate", "tls_client_ca"):
            if path := getattr(gateway, setting):
                yield judge_expiry("certificates", f"{setting} {path}", _ends(path), now)
    except (ConfigError, OSError, NotACertificate) as error:
        yield Finding(
            "certificates", False, True, str(error), "PEM files, the key of that certificate"
        )


def _ends(path: str) -> list[float]:
    return ends_of_pem(Path(path).read_bytes())


def _tokens(path: str) -> Finding:
    try:
        parse_tokens(Path(path).read_text(), path)
    except (ConfigError, OSError) as error:
        return Finding(
            "tokens", False, True, str(error), "`dcodex tokens new TENANT` makes an entry"
        )
    return Finding("tokens", True, True, f"{path} is understood")
