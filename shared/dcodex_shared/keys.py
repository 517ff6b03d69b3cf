"""CURVE keys for ZeroMQ over TCP: making them, reading them, and who may connect with which.

A process that talks TCP has a key pair of its own in a file that only its user can read. Peers
know the coordinator's public key beforehand; the coordinator has a list of the public keys that
it lets in, and asks it anew for every connection, so that a key taken out is out at once.
"""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Callable, Iterable, Sequence
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
#: Requests answered per turn: handshakes are few, and a flood of them must not starve the rest.
ANSWER_MOST = 32
#: Whoever is turned away comes back at once: the log gets one line in this time, in seconds.
COMPLAIN_EVERY_S = 1.0

ZAP_ENDPOINT = "inproc://zeromq.zap.01"
_ZAP_VERSION = b"1.0"


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


def load_allowed(path: Path) -> frozenset[bytes]:
    """The public keys in a file, one a line, or in all NAME.pub files of a directory."""
    if not path.is_dir():
        return frozenset(_public_keys(path))
    files = sorted(path.glob(f"*{PUBLIC_SUFFIX}"))
    return frozenset(key for file in files for key in _public_keys(file))


def use_as_client(socket: zmq.Socket[bytes], keys: ClientKeys) -> None:
    """Encrypt this socket's connections, to whoever holds the coordinator's secret key alone."""
    socket.curve_publickey = keys.own.public
    socket.curve_secretkey = keys.own.secret
    socket.curve_serverkey = keys.coordinator


def use_as_server(socket: zmq.Socket[bytes], own: KeyPair) -> None:
    """Encrypt this socket's connections; call before bind(), after a Gatekeeper was made."""
    socket.curve_publickey = own.public
    socket.curve_secretkey = own.secret
    socket.curve_server = True
    # Without a domain, libzmq would let anyone in whose handshake is right.
    socket.setsockopt_string(zmq.ZAP_DOMAIN, "dcodex")
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)


class Gatekeeper:
    """Answers libzmq's question, for each new connection of a context, whether to let it in.

    It is asked over a socket (ZAP, RFC 27) that stands in the loop of its owner: poll `socket`
    and call answer() when it is readable. While nobody answers, nobody gets in.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        allowed: Callable[[], frozenset[bytes]],
    ) -> None:
        """allowed: the public keys that are let in now, asked for each connection."""
        self._allowed = allowed
        self.socket: zmq.Socket[bytes] = context.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.bind(ZAP_ENDPOINT)
        #: Connections turned away.
        self.refused = 0
        #: Before this time no refusal is logged.
        self._quiet_until = 0.0

    def answer(self) -> None:
        """Answer every question that waits, ANSWER_MOST at the most."""
        for _ in range(ANSWER_MOST):
            try:
                frames = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            split = frames.index(b"") + 1 if b"" in frames else len(frames)
            envelope, question = frames[:split], frames[split:]
            reply = zap_reply(question, self._allowed())
            if reply[2] != b"200":
                self.refused += 1
                self._complain(question, reply[3].decode())
            self.socket.send_multipart([*envelope, *reply])

    def close(self) -> None:
        """Let nobody in any more."""
        self.socket.close(linger=0)

    def _complain(self, question: Sequence[bytes], reason: str) -> None:
        now = time.monotonic()
        if now < self._quiet_until:
            return
        self._quiet_until = now + COMPLAIN_EVERY_S
        # The handshake has proved that the key is the peer's: it tells an operator whose it is.
        address = question[3].decode(errors="replace") if len(question) > 3 else "?"
        shown = len(question) == 7 and len(question[6]) == 32
        key = z85.encode(question[6]).decode() if shown else "none"
        log.warning("turned a peer away address=%s key=%s reason=%s", address, key, reason)


def zap_reply(question: Sequence[bytes], allowed: frozenset[bytes]) -> list[bytes]:
    """The answer to one ZAP request (pure): 200 for a CURVE key in the list, else 400."""
    if len(question) < 6 or question[0] != _ZAP_VERSION:
        return [_ZAP_VERSION, b"", b"500", b"not a ZAP request", b"", b""]
    request_id, mechanism = question[1], question[5]
    if mechanism != b"CURVE" or len(question) != 7 or len(question[6]) != 32:
        return [_ZAP_VERSION, request_id, b"400", b"not a CURVE key", b"", b""]
    # Public keys are no secret: a plain look-up gives nothing away.
    key = z85.encode(question[6])
    if key not in allowed:
        return [_ZAP_VERSION, request_id, b"400", b"key not in the list", b"", b""]
    return [_ZAP_VERSION, request_id, b"200", b"", key, b""]


class AllowedKeys:
    """The list of keys as its file or directory says now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: object = None
        self._keys: frozenset[bytes] = frozenset()
        self.read()

    def read(self) -> frozenset[bytes]:
        """The keys; read again where the file or a file of the directory has changed.

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
    files = sorted(path.glob(f"*{PUBLIC_SUFFIX}")) if path.is_dir() else [path]
    return tuple((str(file), file.stat().st_mtime_ns, file.stat().st_ino) for file in files)


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
