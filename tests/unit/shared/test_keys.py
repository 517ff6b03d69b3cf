"""CURVE keys: made, read, refused; and the answers at the gate."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st
from zmq.utils import z85

from dcodex_shared.config import ConfigError
from dcodex_shared.gatekeeper import zap_reply
from dcodex_shared.keys import (
    GATEWAYS,
    HOSTS,
    AllowedKeys,
    load_allowed,
    load_pair,
    load_public,
    make_keys,
)


def test_keys_are_made_for_their_owner_alone_and_read_again(tmp_path: Path) -> None:
    pair_path, public_path = make_keys(tmp_path / "keys", "gateway")
    assert os.stat(pair_path).st_mode & 0o777 == 0o600
    assert os.stat(pair_path.parent).st_mode & 0o777 == 0o700
    pair = load_pair(pair_path)
    assert load_public(public_path) == pair.public
    assert pair.secret.decode() not in public_path.read_text()
    assert pair.secret.decode() not in repr(pair)


@given(secret=st.binary(min_size=32, max_size=32).map(z85.encode))
def test_any_key_survives_its_file(tmp_path_factory: pytest.TempPathFactory, secret: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "drawn.key"
    path.touch(mode=0o600)
    path.write_text(
        f"# x\npublic = {zmq.curve_public(secret).decode()}\nsecret = {secret.decode()}\n"
    )
    assert load_pair(path).secret == secret


def test_keys_in_use_are_never_overwritten(tmp_path: Path) -> None:
    make_keys(tmp_path, "gateway")
    before = (tmp_path / "gateway.key").read_text()
    with pytest.raises(ConfigError, match="exists"):
        make_keys(tmp_path, "gateway")
    assert (tmp_path / "gateway.key").read_text() == before


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden"])
def test_a_key_has_a_plain_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="plain name"):
        make_keys(tmp_path, name)


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    pair_path, _ = make_keys(tmp_path, "x")
    pair_path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_pair(pair_path)


@pytest.mark.parametrize(
    "text", ["", "public = x\n", "public = x\nsecret = y\n", "\xff" * 40, "x" * 100_000]
)
def test_what_is_no_key_pair_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.key"
    path.touch(mode=0o600)
    path.write_text(text)
    with pytest.raises(ConfigError):
        load_pair(path)
    with pytest.raises(ConfigError):
        load_public(path)


def test_halves_of_two_pairs_do_not_make_one(tmp_path: Path) -> None:
    one, other = (load_pair(make_keys(tmp_path, name)[0]) for name in ("a", "b"))
    path = tmp_path / "mixed.key"
    path.touch(mode=0o600)
    path.write_text(f"public = {one.public.decode()}\nsecret = {other.secret.decode()}\n")
    with pytest.raises(ConfigError, match="does not belong"):
        load_pair(path)


def test_a_list_is_a_directory_of_public_keys_or_a_file(tmp_path: Path) -> None:
    public = {load_pair(make_keys(tmp_path, name)[0]).public for name in ("a", "b")}
    assert load_allowed(tmp_path) == {GATEWAYS: public, HOSTS: public}
    listed = tmp_path / "list"
    listed.write_text("# two\n" + "\n".join(key.decode() for key in public) + "\n\n")
    assert load_allowed(listed) == {GATEWAYS: public, HOSTS: public}


def test_a_key_in_a_folder_of_the_list_is_good_for_that_side_alone(tmp_path: Path) -> None:
    gateway = load_pair(make_keys(tmp_path / GATEWAYS, "a")[0]).public
    assert load_allowed(tmp_path) == {GATEWAYS: {gateway}, HOSTS: frozenset()}
    host = load_pair(make_keys(tmp_path / HOSTS, "b")[0]).public
    assert load_allowed(tmp_path) == {GATEWAYS: {gateway}, HOSTS: {host}}


def test_a_key_beside_the_folders_is_refused_rather_than_guessed_about(tmp_path: Path) -> None:
    make_keys(tmp_path / HOSTS, "b")
    make_keys(tmp_path, "a")
    with pytest.raises(ConfigError, match=r"a\.pub stands beside .* move it"):
        load_allowed(tmp_path)


def test_a_list_with_folders_is_followed_too(tmp_path: Path) -> None:
    (tmp_path / HOSTS).mkdir()
    allowed = AllowedKeys(tmp_path)
    assert not any(allowed.read().values())
    key = load_pair(make_keys(tmp_path / HOSTS, "b")[0]).public
    assert allowed.read()[HOSTS] == {key}
    (tmp_path / HOSTS / "b.pub").unlink()
    assert not any(allowed.read().values())


def test_the_list_follows_its_directory_and_keeps_what_it_cannot_read(tmp_path: Path) -> None:
    first = load_pair(make_keys(tmp_path, "a")[0]).public
    allowed = AllowedKeys(tmp_path)
    second = load_pair(make_keys(tmp_path, "b")[0]).public
    assert allowed.read()[HOSTS] == {first, second}
    (tmp_path / "a.pub").unlink()
    assert allowed.read()[HOSTS] == {second}
    (tmp_path / "c.pub").write_text("no key")
    assert allowed.read()[HOSTS] == {second}
    with pytest.raises(ConfigError, match="allowed_keys"):
        AllowedKeys(tmp_path / "nowhere")


# --- ZAP -------------------------------------------------------------------------------------

KEY = bytes(range(32))
ALLOWED = {GATEWAYS: frozenset([z85.encode(KEY)]), HOSTS: frozenset[bytes]()}


def question(
    *,
    mechanism: bytes = b"CURVE",
    credentials: tuple[bytes, ...] = (KEY,),
    domain: bytes = GATEWAYS.encode(),
) -> list[bytes]:
    return [b"1.0", b"7", domain, b"10.0.0.1", b"", mechanism, *credentials]


def test_a_listed_key_is_let_in() -> None:
    assert zap_reply(question(), ALLOWED)[:3] == [b"1.0", b"7", b"200"]


@pytest.mark.parametrize(
    "asked",
    [
        question(credentials=(bytes(32),)),
        question(domain=HOSTS.encode()),
        question(domain=b""),
        question(credentials=()),
        question(credentials=(KEY, KEY)),
        question(credentials=(KEY[:-1],)),
        question(mechanism=b"NULL", credentials=()),
        question(mechanism=b"PLAIN", credentials=(b"user", b"password")),
    ],
)
def test_anything_else_is_not(asked: list[bytes]) -> None:
    assert zap_reply(asked, ALLOWED)[2] == b"400"


@given(st.lists(st.binary(max_size=40), max_size=9))
def test_no_question_is_another_error(asked: list[bytes]) -> None:
    assert zap_reply(asked, ALLOWED)[2] in (b"400", b"500")
    assert len(zap_reply(asked, ALLOWED)) == 6
