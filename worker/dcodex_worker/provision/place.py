"""A directory that is made beside its place and takes it whole, or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator

from dcodex_worker.provision import files
from dcodex_worker.sandbox import kernel


class MakeError(Exception):
    """There is no new runtime; the message says why, and what to do."""


@contextlib.contextmanager
def building(directory: str, replace: bool) -> Iterator[str]:
    """An empty directory to make a runtime in; takes its place at the end. Raises MakeError.

    replace: a runtime that is there may be exchanged for it. Whatever is there otherwise is
    never touched.
    """
    refuse_taken(directory, replace)
    parent, name = os.path.split(directory)
    build = os.path.join(parent, f".{name}.making")
    try:
        os.makedirs(parent, exist_ok=True)
        lock = _lock(build)
    except OSError as error:
        raise MakeError(f"cannot write in {parent}: {error.strerror}") from error
    try:
        _empty(build)
        os.chmod(build, 0o755)
        yield build
        refuse_taken(directory, replace)
        if files.is_runtime(directory):
            kernel.exchange(build, directory)
        else:
            os.rename(build, directory)
    except OSError as error:
        raise MakeError(f"cannot make {directory}: {error.strerror or error}") from error
    finally:
        # What could not be finished, or what was there before.
        shutil.rmtree(build, ignore_errors=True)
        os.close(lock)


def refuse_taken(directory: str, replace: bool) -> None:
    """Raise MakeError for a place where something is that may not be replaced."""
    if not os.path.lexists(directory):
        return
    if not os.path.isdir(directory):
        raise MakeError(f"{directory} is a file: name a directory that is not there yet")
    if files.is_runtime(directory):
        if not replace:
            raise MakeError(
                f"{directory} is a runtime already: `dcodex runtime check {directory}` examines "
                "it, --replace makes it anew (restart the hosts that use it)"
            )
    elif os.listdir(directory):
        raise MakeError(f"{directory} is not empty and no runtime: name another directory")


def _lock(build: str) -> int:
    """A descriptor that holds the directory against another who makes the same."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(build, 0o700)
    fd = os.open(build, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(fd).st_uid != os.geteuid():
            raise MakeError(f"{build} belongs to another user: remove it")
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have moved it away just now.
        if not os.path.exists(build) or not os.path.samestat(os.fstat(fd), os.stat(build)):
            raise BlockingIOError
    except BlockingIOError:
        os.close(fd)
        raise MakeError(f"{build} is in use: the same runtime is being made already") from None
    except BaseException:
        os.close(fd)
        raise
    return fd


def _empty(build: str) -> None:
    """Remove what one left who was killed."""
    for entry in os.scandir(build):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)
