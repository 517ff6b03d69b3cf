"""The cpio archive ("newc") that a kernel unpacks as its first root."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class Archive:
    """Collects files; bytes() is the archive."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._folders: set[str] = set()
        self._inode = 0

    def file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """A regular file."""
        self._entry(path, stat.S_IFREG | mode, content)

    def link(self, path: str, target: str) -> None:
        """A symbolic link."""
        self._entry(path, stat.S_IFLNK | 0o777, target.encode())

    def folder(self, path: str) -> None:
        """A directory, with those above it."""
        name = path.strip("/")
        if not name or name in self._folders:
            return
        self._folders.add(name)
        self._entry(path, stat.S_IFDIR | 0o755, b"")

    def copy(self, source: Path, path: str) -> None:
        """A file, link or directory of this machine, with what is in it."""
        if source.is_symlink():
            self.link(path, os.readlink(source))
        elif source.is_dir():
            self.folder(path)
            for entry in sorted(source.iterdir()):
                self.copy(entry, f"{path}/{entry.name}")
        elif source.is_file():
            self.file(path, source.read_bytes(), source.stat().st_mode & 0o777)

    def content(self) -> bytes:
        """The whole archive."""
        self._entry("TRAILER!!!", 0, b"")
        return b"".join(self._parts)

    def _entry(self, path: str, mode: int, content: bytes) -> None:
        self.folder(os.path.dirname(path))
        self._inode += 1
        name = path.strip("/").encode() + b"\0"
        #: inode, mode, uid, gid, links, mtime, size, device, device node, name's size, checksum.
        fields = (self._inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self._parts += [_padded(header + name), _padded(content)]


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
