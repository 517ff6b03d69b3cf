"""The operator's file of tokens: who a token names, and what that tenant may (pure).

    [[token]]
    tenant = "ci"
    sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    weight = 2.0           # share of the farm under contention, 1.0 where it is left out
    requests_per_s = 50    # each bound may be left out
    worker_s_per_s = 4
    concurrency = 16
    [token.ceiling]        # at most this, and never more than the gateway's own ceiling
    wall_s = "30s"
    memory_bytes = "1GB"

Only hashes are stored. A token is long and random (`new_token()`), so a plain SHA-256 of it
cannot be turned back, and looking a hash up tells an attacker nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import secrets
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from dcodex_gateway.quota import UNBOUNDED, Allowance
from dcodex_shared.config import ConfigError
from dcodex_shared.limits import Limits
from dcodex_shared.quantities import parse_bytes, parse_count, parse_seconds

#: A token is a header: a kilobyte is more than any is long.
MAX_TOKEN_CHARS = 1024
#: What new_token() makes begins with this, so that scanners find it where it must not be.
TOKEN_PREFIX = "dcx_"
TOKEN_BYTES = 32
MAX_WEIGHT = 1000.0

#: Names that fit into logs and snapshots.
_TENANT = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEYS = {"tenant", "sha256", "weight", "requests_per_s", "worker_s_per_s", "concurrency", "ceiling"}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token gives."""

    tenant: str
    weight: float = 1.0
    allowance: Allowance = UNBOUNDED
    #: Fields of Limits that are lower for this tenant than for others.
    ceiling: tuple[tuple[str, float], ...] = ()

    def lower(self, limits: Limits) -> Limits:
        """These limits, none above the tenant's own ceiling."""
        changes: dict[str, Any] = {
            name: type(getattr(limits, name))(min(most, getattr(limits, name)))
            for name, most in self.ceiling
        }
        return replace(limits, **changes)


class TokenBook:
    """All tokens of one file."""

    def __init__(self, grants: Mapping[str, Grant]) -> None:
        """grants: by the hexadecimal SHA-256 of the token."""
        self._grants = {bytes.fromhex(digest): grant for digest, grant in grants.items()}

    def __len__(self) -> int:
        return len(self._grants)

    def find(self, token: str) -> Grant | None:
        """What this token gives; None where it is none of ours."""
        if len(token) > MAX_TOKEN_CHARS:
            return None
        digest = hashlib.sha256(token.encode(errors="replace")).digest()
        for known, grant in self._grants.items():
            if hmac.compare_digest(known, digest):
                return grant
        return None


def new_token() -> tuple[str, str]:
    """A fresh token for a caller, and its hash for the file."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    return token, hash_token(token)


def hash_token(token: str) -> str:
    """What the file stores of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def valid_tenant(name: str) -> bool:
    """Whether this can be a tenant's name."""
    return _TENANT.fullmatch(name) is not None


def parse_tokens(text: str, source: str) -> TokenBook:
    """The tokens in a file's text; ConfigError names the entry and the key that is wrong."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not TOML: {error}") from None
    entries = table.pop("token", [])
    if table or not isinstance(entries, list):
        raise ConfigError(f"{source}: holds [[token]] entries and nothing else")
    grants: dict[str, Grant] = {}
    of_tenant: dict[str, Grant] = {}
    for number, entry in enumerate(entries, 1):
        where = f"{source}: token {number}"
        digest, grant = _entry(entry, where)
        if digest in grants:
            raise ConfigError(f"{where}: sha256: the same as an earlier one's")
        if of_tenant.setdefault(grant.tenant, grant) != grant:
            raise ConfigError(f"{where}: the tokens of tenant {grant.tenant} must allow the same")
        grants[digest] = grant
    return TokenBook(grants)


def _entry(entry: Any, where: str) -> tuple[str, Grant]:
    if not isinstance(entry, dict):
        raise ConfigError(f"{where}: not a table")
    if unknown := set(entry) - _KEYS:
        raise ConfigError(f"{where}: unknown key {sorted(unknown)[0]}")
    tenant, digest = str(entry.get("tenant", "")), str(entry.get("sha256", "")).lower()
    if not valid_tenant(tenant):
        raise ConfigError(f"{where}: tenant: 1 to 64 of A-Z, a-z, 0-9, '.', '_', '@' and '-'")
    if not _SHA256.fullmatch(digest):
        raise ConfigError(f"{where}: sha256: must be 64 hexadecimal digits (the hash of the token)")
    ceiling = entry.get("ceiling", {})
    if not isinstance(ceiling, dict):
        raise ConfigError(f"{where}: ceiling: not a table")
    return digest, Grant(
        tenant=tenant,
        weight=_number(entry, "weight", 1.0, where, most=MAX_WEIGHT),
        allowance=Allowance(
            requests_per_s=_number(entry, "requests_per_s", 0.0, where),
            worker_s_per_s=_number(entry, "worker_s_per_s", 0.0, where),
            concurrency=int(_number(entry, "concurrency", 0.0, where, least=1.0)),
        ),
        ceiling=tuple(
            sorted((name, _limit(name, value, where)) for name, value in ceiling.items())
        ),
    )


def _number(
    entry: dict[str, Any],
    key: str,
    default: float,
    where: str,
    *,
    least: float = 1e-3,
    most: float = 1e6,
) -> float:
    if key not in entry:
        return default
    value = entry[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ConfigError(f"{where}: {key}: must be a number from {least:g} to {most:g}")
    return float(value)


_PARSERS: dict[str, Callable[[str], float]] = {
    "cpu_s": parse_seconds,
    "wall_s": parse_seconds,
    "memory_bytes": parse_bytes,
    "processes": parse_count,
    "output_bytes": parse_bytes,
    "file_size_bytes": parse_bytes,
    "open_files": parse_count,
}
assert set(_PARSERS) == {field.name for field in fields(Limits)}


def _limit(name: str, value: object, where: str) -> float:
    parse = _PARSERS.get(name)
    if parse is None:
        raise ConfigError(
            f"{where}: ceiling.{name}: no such limit; there are {', '.join(_PARSERS)}"
        )
    try:
        amount = parse(str(value))
    except ValueError as error:
        raise ConfigError(f"{where}: ceiling.{name}: {error}") from None
    if not 0 < amount < math.inf:
        raise ConfigError(f"{where}: ceiling.{name}: must be above 0")
    return amount
