"""Which ZeroMQ endpoints are safe to use, and the directories that local ones stand in.

A local socket is as private as its directory: we make it with mode 0700 and refuse one that
others can write to. TCP that leaves the machine would carry programs in the clear, so it is
refused unless the operator says that nobody else listens in (--insecure).
"""

from __future__ import annotations

import ipaddress
import os
import socket
import stat
from pathlib import Path

from dcodex_shared.config import ConfigError

#: sun_path holds 108 bytes with its final NUL.
MAX_IPC_PATH_BYTES = 107


def prepare(endpoint: str, insecure: bool, keys: bool = False) -> str:
    """Check an endpoint and make the directory of a local one; returns the endpoint.

    keys: connections over it are encrypted, and to known peers alone (keys.py).
    Raises ConfigError saying what is wrong and what to do about it.
    """
    scheme, separator, address = endpoint.partition("://")
    if not separator or scheme not in ("ipc", "tcp") or not address:
        raise ConfigError(f"endpoint must be ipc://PATH or tcp://HOST:PORT, got {endpoint!r}")
    if scheme == "ipc":
        _prepare_directory(address, insecure)
    else:
        _check_tcp(endpoint, address, insecure or keys)
    return endpoint


def is_served(endpoint: str) -> bool:
    """Whether some process accepts connections on this local endpoint (False for tcp://).

    Binding would take a local socket's name away from a process that still serves it.
    """
    if not endpoint.startswith("ipc://"):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # A full backlog means somebody is there; waiting for it would tell nothing more.
        probe.setblocking(False)
        try:
            probe.connect(endpoint.removeprefix("ipc://"))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:
            return True
        return True


def remove_socket(endpoint: str) -> None:
    """Remove the file of a local endpoint that this process has bound and closed."""
    if endpoint.startswith("ipc://"):
        Path(endpoint.removeprefix("ipc://")).unlink(missing_ok=True)


def _prepare_directory(address: str, insecure: bool) -> None:
    if not address.startswith("/"):
        raise ConfigError(f"ipc endpoint needs an absolute path, got {address!r}")
    if len(os.fsencode(address)) > MAX_IPC_PATH_BYTES:
        raise ConfigError(
            f"the path of a local socket has at most {MAX_IPC_PATH_BYTES} bytes, "
            f"choose a shorter runtime_dir: {address}"
        )
    directory = Path(address).parent
    try:
        if not directory.exists():
            directory.parent.mkdir(parents=True, exist_ok=True)
            directory.mkdir(mode=0o700, exist_ok=True)
        status = directory.stat()
    except OSError as error:
        raise ConfigError(f"cannot make {directory}: {error.strerror}; set runtime_dir") from None
    if not stat.S_ISDIR(status.st_mode):
        raise ConfigError(f"{directory} is not a directory; set runtime_dir")
    if insecure:
        return
    if status.st_uid not in (os.geteuid(), 0):
        raise ConfigError(f"{directory} belongs to another user; set runtime_dir")
    if status.st_mode & 0o022:
        raise ConfigError(
            f"{directory} can be written to by other users; chmod 700 it or set runtime_dir"
        )


def _check_tcp(endpoint: str, address: str, anywhere: bool) -> None:
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ConfigError(f"tcp endpoint must be tcp://HOST:PORT, got {endpoint!r}")
    if not anywhere and not is_loopback(host.strip("[]")):
        raise ConfigError(
            f"{endpoint} leaves this machine without encryption; set key_file (`dcodex keys new` "
            "makes one), use a loopback address or ipc://, or --insecure on a network where nobody "
            "else listens in"
        )


def is_loopback(host: str) -> bool:
    """Whether this host part of an address is this machine's own and no other's."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # A name may resolve to anything, and a wildcard is everything.
        return False
