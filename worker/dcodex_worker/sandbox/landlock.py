"""Landlock, a second lock on the file system and on signals where the kernel has it.

The mount tree already says what can be named and written; should a hole in it ever be found,
a program still writes nowhere but in its private places. See landlock(7).
"""

from __future__ import annotations

import ctypes
import errno
import os

from dcodex_worker.sandbox import kernel

#: LANDLOCK_ACCESS_FS_*: EXECUTE, READ_FILE, READ_DIR.
_READ = 1 << 0 | 1 << 2 | 1 << 3
#: What needs no directory: EXECUTE, WRITE_FILE, READ_FILE, TRUNCATE, IOCTL_DEV.
_DEVICE = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
#: Every access to files that each version of the interface knows: version 1 has bits 0 to 12,
#: 2 adds REFER, 3 TRUNCATE, 5 IOCTL_DEV.
_ALL_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
#: From version 6: no abstract Unix socket and no signal beyond the sandbox.
_SCOPES = 3
_SCOPES_SINCE = 6

_WRITABLE = ("/work", "/tmp", "/dev/shm")
_DEVICES = ("/dev/full", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero")
#: A process writes its own name, score and limits there.
_PROC = "/proc"

_RULE_PATH_BENEATH = 1


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def version() -> int:
    """The version of the kernel's interface; 0: none."""
    return kernel.landlock_version()


def open_queues(interface: int) -> int:
    """A descriptor of this IPC namespace's message queues, which have no path; -1: none needed.

    They are files too, of a file system that is mounted nowhere here. Needs root.
    """
    if interface == 0:
        return -1
    try:
        return kernel.open_file_system("mqueue")
    except OSError as error:
        # A kernel without message queues.
        if error.errno != errno.ENODEV:
            raise
        return -1


def enter(interface: int, queues: int) -> None:
    """Confine this process and all it will start. Needs no_new_privs and the private mounts.

    interface: what version() has said; queues: what open_queues() gave, closed here.
    """
    if interface == 0:
        return
    handled = _ALL_BY_VERSION[max(v for v in _ALL_BY_VERSION if v <= interface)]
    scoped = _SCOPES if interface >= _SCOPES_SINCE else 0
    size = 24 if scoped else 8
    ruleset = kernel.landlock_create_ruleset(_Ruleset(handled, 0, scoped), size)
    try:
        _allow(ruleset, "/", _READ & handled)
        for path in (*_WRITABLE, _PROC):
            _allow(ruleset, path, handled)
        for path in _DEVICES:
            _allow(ruleset, path, _DEVICE & handled)
        if queues >= 0:
            _allow_beneath(ruleset, queues, handled)
        kernel.landlock_restrict_self(ruleset)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    _allow_beneath(ruleset, os.open(path, os.O_PATH | os.O_CLOEXEC), access)


def _allow_beneath(ruleset: int, parent: int, access: int) -> None:
    """parent: closed here."""
    try:
        rule = _PathBeneath(access, parent)
        kernel.landlock_add_rule(ruleset, _RULE_PATH_BENEATH, rule)
    finally:
        os.close(parent)
