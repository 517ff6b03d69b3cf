"""What compiles have made, on disk, by the content of everything that went into them.

Files are written aside and renamed, so that several workers may share the directory, and carry
a checksum that is verified on every use. No sandbox sees the directory. When it grows beyond
its bound the least recently used go.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
from collections.abc import Iterable, Iterator

from dcodex_shared.program import SourceFile

log = logging.getLogger(__name__)

_CHECKSUM_SUFFIX = ".sha256"
#: After going over its bound the cache shrinks to this share of it, so that it does not do so
#: again at once.
_SHRINK_TO = 0.8
#: Looking at every file for the least used takes as long as there are files: it is done again
#: when this share of the bound has come from here. So many workers' caches are that much larger.
_LOOK_AFTER = 1 / 128
#: Programs are copied in pieces, in bytes: no worker holds a whole one.
_PIECE_BYTES = 1 << 20
#: A single program larger than this share of the cache is not kept.
_LARGEST_SHARE = 0.1


class CompileCache:
    """The cache of one host, as one worker uses it. A bound of 0 bytes: no cache."""

    def __init__(self, directory: str, bound_bytes: int) -> None:
        self._directory = directory
        self._bound_bytes = bound_bytes
        #: Stored by this worker since it looked at all files; the first time it looks at once.
        self._unseen_bytes = bound_bytes
        if bound_bytes:
            os.makedirs(directory, mode=0o700, exist_ok=True)

    @staticmethod
    def key(version: str, argv: tuple[str, ...], files: tuple[SourceFile, ...]) -> str:
        """A name that differs wherever the outcome could."""
        digest = hashlib.sha256()
        for part in (version, *argv):
            digest.update(len(part).to_bytes(8, "little") + part.encode())
        for file in sorted(files, key=lambda file: file.path):
            path = file.path.encode()
            for data in (path, file.content):
                digest.update(len(data).to_bytes(8, "little") + data)
        return digest.hexdigest()

    def open(self, key: str) -> int:
        """A read-only descriptor of the program, or -1."""
        if not self._bound_bytes:
            return -1
        path = os.path.join(self._directory, key)
        try:
            with open(path + _CHECKSUM_SUFFIX) as file:
                expected = file.read()
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return -1
        if _checksum(fd) != expected:
            log.error("a cached program is damaged key=%s", key)
            os.close(fd)
            self._forget(key)
            return -1
        with contextlib.suppress(OSError):
            os.utime(path)
        return fd

    def store(self, key: str, source: int) -> None:
        """Keep a copy of the program behind the descriptor; a full disk is no failure."""
        size = os.fstat(source).st_size
        if size > self._bound_bytes * _LARGEST_SHARE:
            return
        try:
            self._put(key + _CHECKSUM_SUFFIX, (_checksum(source).encode(),))
            self._put(key, _pieces(source))
            self._unseen_bytes += size
            if self._unseen_bytes > self._bound_bytes * _LOOK_AFTER:
                self._shrink()
                self._unseen_bytes = 0
        except OSError as error:
            log.warning("could not keep a compiled program error=%s", error)

    def _put(self, name: str, pieces: Iterable[bytes]) -> None:
        fd, aside = tempfile.mkstemp(dir=self._directory, prefix=".new-")
        try:
            with open(fd, "wb") as file:
                file.writelines(pieces)
            os.rename(aside, os.path.join(self._directory, name))
        except OSError:
            os.unlink(aside)
            raise

    def _shrink(self) -> None:
        entries = []
        for entry in os.scandir(self._directory):
            with contextlib.suppress(FileNotFoundError):
                entries.append((entry.stat().st_mtime, entry.stat().st_size, entry.name))
        total = sum(size for _, size, _ in entries)
        if total <= self._bound_bytes:
            return
        for _, size, name in sorted(entries):
            if name.endswith(_CHECKSUM_SUFFIX):
                continue
            self._forget(name)
            total -= size
            if total <= self._bound_bytes * _SHRINK_TO:
                return

    def _forget(self, key: str) -> None:
        for name in (key, key + _CHECKSUM_SUFFIX):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self._directory, name))


def _checksum(fd: int) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(fd):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(fd: int) -> Iterator[bytes]:
    offset = 0
    while piece := os.pread(fd, _PIECE_BYTES, offset):
        yield piece
        offset += len(piece)
