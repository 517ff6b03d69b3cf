"""The file of tokens."""

from __future__ import annotations

import pytest

from dcodex_gateway.quota import Allowance
from dcodex_gateway.tokens import hash_token, new_token, parse_tokens, valid_tenant
from dcodex_shared.config import ConfigError
from dcodex_shared.limits import DEFAULT_CEILING, GIB

TOKEN = "dcx_example"
HASH = hash_token(TOKEN)


def entry(**changes: str) -> str:
    values = {"tenant": '"ci"', "sha256": f'"{HASH}"', **changes}
    return "[[token]]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())


def test_a_token_gives_what_its_entry_says() -> None:
    text = entry(weight="2.5", requests_per_s="50", worker_s_per_s="4.5", concurrency="16")
    text += '[token.ceiling]\nwall_s = "30s"\nmemory_bytes = "1GB"\n'
    grant = parse_tokens(text, "tokens.toml").find(TOKEN)
    assert grant is not None
    assert grant.tenant == "ci"
    assert grant.weight == 2.5
    assert grant.allowance == Allowance(50.0, 4.5, 16)
    lowered = grant.lower(DEFAULT_CEILING)
    assert lowered.wall_s == 30.0
    assert lowered.memory_bytes == GIB
    assert type(lowered.memory_bytes) is int
    assert lowered.cpu_s == DEFAULT_CEILING.cpu_s


def test_a_tenants_ceiling_never_lifts_the_operators() -> None:
    text = entry() + '[token.ceiling]\nwall_s = "1000h"\n'
    grant = parse_tokens(text, "tokens.toml").find(TOKEN)
    assert grant is not None
    assert grant.lower(DEFAULT_CEILING) == DEFAULT_CEILING


@pytest.mark.parametrize("token", ["", "x", TOKEN + "x", TOKEN.upper(), HASH, "x" * 100_000, "é"])
def test_another_token_gives_nothing(token: str) -> None:
    assert parse_tokens(entry(), "tokens.toml").find(token) is None


def test_a_new_token_is_known_by_its_hash_alone() -> None:
    token, digest = new_token()
    assert digest != token
    grant = parse_tokens(entry(sha256=f'"{digest}"'), "tokens.toml").find(token)
    assert grant is not None
    assert new_token()[0] != token


def test_a_tenant_may_have_several_tokens_that_allow_the_same() -> None:
    other = hash_token("other")
    book = parse_tokens(entry() + entry(sha256=f'"{other}"'), "tokens.toml")
    assert book.find("other") == book.find(TOKEN)
    with pytest.raises(ConfigError, match="must allow the same"):
        parse_tokens(entry() + entry(sha256=f'"{other}"', weight="3"), "tokens.toml")


def test_an_empty_file_lets_nobody_in() -> None:
    assert len(parse_tokens("", "tokens.toml")) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("= 1", "not TOML"),
        ("other = 1", "nothing else"),
        ("token = 1", "nothing else"),
        ("token = [1]", "token 1: not a table"),
        (entry(tenant='""'), "token 1: tenant"),
        (entry(tenant='"a b"'), "token 1: tenant"),
        (entry(sha256='"abc"'), "token 1: sha256"),
        (entry(sha256=f'"{TOKEN}"'), "token 1: sha256"),
        (entry(weight="0"), "weight"),
        (entry(weight="true"), "weight"),
        (entry(weight='"much"'), "weight"),
        (entry(requests_per_s="-1"), "requests_per_s"),
        (entry(worker_s_per_s="nan"), "worker_s_per_s"),
        (entry(concurrency="0"), "concurrency"),
        (entry(wieght="1"), "unknown key wieght"),
        (entry() + entry(), "token 2: sha256: the same"),
        (entry(ceiling="1"), "ceiling: not a table"),
        (entry() + "[token.ceiling]\nwal_s = 1\n", "no such limit"),
        (entry() + '[token.ceiling]\nwall_s = "long"\n', "ceiling.wall_s"),
        (entry() + "[token.ceiling]\nwall_s = 0\n", "ceiling.wall_s"),
    ],
)
def test_an_error_names_the_entry_and_the_key(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_tokens(text, "tokens.toml")


def test_a_tenants_name_fits_into_a_log() -> None:
    assert valid_tenant("team-a@example.org")
    for name in ("", "a b", "a\n", "x" * 65, "é"):
        assert not valid_tenant(name)
