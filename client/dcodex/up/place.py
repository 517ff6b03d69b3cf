"""What a farm owns on its machine: the directory of its sockets, and its port."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import stat

LOCK_NAME = "up.lock"
#: sockaddr_un holds 107 bytes; the longest name that a part makes below the directory.
MAX_DIRECTORY_BYTES = 107 - len("/coordinator-gateways.sock")


class PlaceError(Exception):
    """It cannot be had; the message says why and what to do, in one line."""


class InUse(PlaceError):
    """Another farm has it."""


class RuntimeDirectory:
    """A locked directory of mode 0700, removed with everything in it at the end.

    The parts inherit the lock's descriptor: it is held until the last of them has gone, even
    where `dcodex up` itself was killed.
    """

    def __init__(self, path: str) -> None:
        if len(os.fsencode(path)) > MAX_DIRECTORY_BYTES:
            raise PlaceError(f"runtime_dir {path} is too long for a socket's address")
        self.path = path
        self.lock = self._claim()

    def _claim(self) -> int:
        lock_path = os.path.join(self.path, LOCK_NAME)
        try:
            os.makedirs(self.path, mode=0o700, exist_ok=True)
            status = os.lstat(self.path)
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                raise PlaceError(f"runtime_dir {self.path} is not a directory of this user's")
            os.chmod(self.path, 0o700)
            while True:
                lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    owner = os.read(lock, 32).decode(errors="replace").strip()
                    os.close(lock)
                    raise InUse(
                        f"another farm (pid {owner or 'unknown'}) uses {self.path}"
                    ) from None
                if _is_same_file(lock, lock_path):
                    break
                os.close(lock)  # its last owner removed it between our two calls
        except OSError as error:
            raise PlaceError(
                f"cannot use runtime_dir {self.path}: {error.strerror}; name another"
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        return lock

    def release(self) -> None:
        """Remove what is left; only when every part has gone."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock)


def reserve_port(host: str, port: int) -> socket.socket:
    """A socket that keeps the port for this farm's gateways, which share it; it never listens.

    port 0: any free one; the socket knows which. The gateways bind with SO_REUSEPORT, as this
    socket does, so that one can be restarted, or several run, at one port.
    """
    family, kind, protocol, _, address = _resolve(host, port)
    try:
        # Without SO_REUSEPORT first: that finds whoever else is there.
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            address = probe.getsockname()
            reserved = socket.socket(family, kind, protocol)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(address)
    except OSError as error:
        raise PlaceError(
            f"cannot serve on {host}:{port}: {(error.strerror or str(error)).lower()}; "
            "choose another --port (0: any free one)"
        ) from None
    return reserved


def _resolve(host: str, port: int) -> tuple[int, int, int, str, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise PlaceError(f"host {host}: {error.strerror}") from None
    family, kind, protocol, name, address = found[0]
    return family, kind, protocol, name, (str(address[0]), int(address[1]))


def _is_same_file(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
