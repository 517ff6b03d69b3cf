"""CURVE keys for ZeroMQ over TCP: making them, reading them, and who may connect with which.

A process that talks TCP has a key pair of its own in a file that only its user can read. Peers
know the coordinator's public key beforehand; the coordinator has a list of the public keys that
it lets in, by what each may be (gatekeeper.py asks it anew for every connection).
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import zmq
from zmq.utils import z85

from dcodex_shared.config import ConfigError

log = logging.getLogger(__name__)

#: Z85, as zmq_curve_keypair() gives it.
KEY_CHARS = 40
#: The file name endings of a pair and of its public half.
PAIR_SUFFIX = ".key"
PUBLIC_SUFFIX = ".pub"
#: A key file holds a key or two and comments; what is larger is something else.
MAX_FILE_BYTES = 64 * 1024
#: Whom a key lets in, which is also the folder of the list that it stands in.
GATEWAYS = "gateways"
HOSTS = "hosts"
SIDES = (GATEWAYS, HOSTS)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """One process's keys, in Z85."""

    public: bytes
    secret: bytes

    def __repr__(self) -> str:
        """Without the secret, which must not get into a log."""
        return f"KeyPair(public={self.public!r})"


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """What a peer of the coordinator needs for an encrypted connection."""

    own: KeyPair
    #: The coordinator's public key.
    coordinator: bytes


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """What the coordinator needs for encrypted connections."""

    own: KeyPair
    allowed: AllowedKeys


def client_keys(endpoint: str, key_file: str, coordinator_key: str) -> ClientKeys | None:
    """The keys that these settings name; None: the endpoint needs none, or there are none.

    Raises ConfigError.
    """
    if bool(key_file) != bool(coordinator_key):
        raise ConfigError("key_file and coordinator_key need each other")
    if not key_file or not is_tcp(endpoint):
        return None
    return ClientKeys(load_pair(Path(key_file)), load_public(Path(coordinator_key)))


def server_keys(endpoints: Iterable[str], key_file: str, allowed_keys: str) -> ServerKeys | None:
    """The keys that these settings name; None: no endpoint needs any, or there are none.

    Raises ConfigError.
    """
    # A machine's other processes may have a key_file where its coordinator needs none.
    if not any(map(is_tcp, endpoints)):
        return None
    if bool(key_file) != bool(allowed_keys):
        raise ConfigError("key_file and allowed_keys need each other")
    if not key_file:
        return None
    return ServerKeys(load_pair(Path(key_file)), AllowedKeys(Path(allowed_keys)))


def is_tcp(endpoint: str) -> bool:
    """Whether connections over this endpoint can be encrypted."""
    return endpoint.startswith("tcp://")


def make_keys(directory: Path, name: str) -> tuple[Path, Path]:
    """Make NAME.key (0600) and NAME.pub in the directory; returns both paths.

    Raises ConfigError where they exist already: a key in use is never overwritten.
    """
    if not name or "/" in name or name.startswith("."):
        raise ConfigError(f"a key needs a plain name, got {name!r}")
    pair_path = directory / f"{name}{PAIR_SUFFIX}"
    public_path = directory / f"{name}{PUBLIC_SUFFIX}"
    public, secret = zmq.curve_keypair()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(
            pair_path,
            0o600,
            f"# CURVE key pair of {name}: keep it to yourself\n"
            f"public = {public.decode()}\nsecret = {secret.decode()}\n",
        )
        _write_new(public_path, 0o644, f"# CURVE public key of {name}\n{public.decode()}\n")
    except FileExistsError as error:
        raise ConfigError(
            f"{error.filename} exists; remove it first if it is no longer used"
        ) from None
    except OSError as error:
        raise ConfigError(f"cannot write {error.filename}: {error.strerror}") from None
    return pair_path, public_path


def load_pair(path: Path) -> KeyPair:
    """A key pair from its file; raises ConfigError, also where others can read it."""
    text = _read(path)
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{path} can be read by other users; chmod 600 it")
    values = {}
    for line in _lines(text):
        name, equals, value = line.partition("=")
        if equals and name.strip() in ("public", "secret"):
            values[name.strip()] = value.strip()
    if set(values) != {"public", "secret"}:
        raise ConfigError(f"{path} is no key pair; make one with `dcodex keys new`")
    pair = KeyPair(_key(values["public"], path), _key(values["secret"], path))
    if zmq.curve_public(pair.secret) != pair.public:
        raise ConfigError(f"{path}: the public key does not belong to the secret one")
    return pair


def load_public(path: Path) -> bytes:
    """The one public key in a file; raises ConfigError."""
    keys = _public_keys(path)
    if len(keys) != 1:
        raise ConfigError(f"{path} must hold one public key, got {len(keys)}")
    return keys[0]


def load_allowed(path: Path) -> dict[str, frozenset[bytes]]:
    """The public keys that may connect, by side.

    A directory with NAME.pub files in its folders gateways/ and hosts/ ties each key to a side. A
    directory of NAME.pub files without these folders, or a file with a key on each line, lets
    each key be either. Raises ConfigError, also for a directory that is half the one and half
    the other: what a key there was meant for could only be guessed.
    """
    if not path.is_dir():
        return dict.fromkeys(SIDES, frozenset(_public_keys(path)))
    loose = _public_files(path)
    if not any((path / side).is_dir() for side in SIDES):
        return dict.fromkeys(SIDES, _keys_of(loose))
    if loose:
        raise ConfigError(
            f"{loose[0]} stands beside the folders {GATEWAYS}/ and {HOSTS}/: move it into the one "
            "that it is for"
        )
    return {side: _keys_of(_public_files(path / side)) for side in SIDES}


def use_as_client(socket: zmq.Socket[bytes], keys: ClientKeys) -> None:
    """Encrypt this socket's connections, to whoever holds the coordinator's secret key alone."""
    socket.curve_publickey = keys.own.public
    socket.curve_secretkey = keys.own.secret
    socket.curve_serverkey = keys.coordinator


class AllowedKeys:
    """The list of keys as its file or directory says now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: object = None
        self._keys: dict[str, frozenset[bytes]] = {}
        self.read()

    def read(self) -> Mapping[str, frozenset[bytes]]:
        """The keys by side; read again where the file or a file of the directory has changed.

        Raises ConfigError the first time only: later on, a list that cannot be read stays as it
        was, and the log says so.
        """
        first = self._stamp is None
        try:
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                self._keys = load_allowed(self._path)
                self._stamp = stamp
        except (ConfigError, OSError) as error:
            if first:
                raise ConfigError(f"allowed_keys: {error}") from None
            log.error("the list of allowed keys stays as it was error=%s", error)
        return self._keys


def _stamp(path: Path) -> object:
    """Another value whenever the file, or a file of the directory, is another."""
    files = [path]
    if path.is_dir():
        folders = [path / side for side in SIDES if (path / side).is_dir()]
        files = [*folders, *(file for one in (path, *folders) for file in _public_files(one))]
    return tuple((str(file), file.stat().st_mtime_ns, file.stat().st_ino) for file in files)


def _public_files(directory: Path) -> list[Path]:
    return sorted(directory.glob(f"*{PUBLIC_SUFFIX}"))


def _keys_of(files: Iterable[Path]) -> frozenset[bytes]:
    return frozenset(key for file in files for key in _public_keys(file))


def _public_keys(path: Path) -> list[bytes]:
    return [_key(line, path) for line in _lines(_read(path))]


def _lines(text: str) -> list[str]:
    # A comment is a line of its own: '#' is also a digit of Z85, but a key is not "# …".
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("# ")]


def _key(text: str, path: Path) -> bytes:
    key = text.encode()
    if len(key) != KEY_CHARS:
        raise ConfigError(f"{path}: a key has {KEY_CHARS} characters, got {len(key)}")
    try:
        z85.decode(key)
    except (KeyError, ValueError, TypeError):
        raise ConfigError(f"{path}: not a Z85 key") from None
    return key


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(f"{path} is too large to hold keys")
    return data.decode(errors="replace")


def _write_new(path: Path, mode: int, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
