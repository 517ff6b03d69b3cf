"""Landlock, a second lock on the file system and on signals where the kernel has it.

The mount tree already says what can be named and written; should a hole in it ever be found,
a program still writes nowhere but in its private places. See landlock(7).
"""

from __future__ import annotations

import os
import struct

from dcodex_worker.sandbox import kernel
from dcodex_worker.sandbox.errand import Errand, Number

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

_FSOPEN_CLOEXEC = _FSMOUNT_CLOEXEC = 1
_FSCONFIG_CMD_CREATE = 6


def version() -> int:
    """The version of the kernel's interface; 0: none."""
    return max(0, kernel.landlock_version())


def has_queues(interface: int) -> bool:
    """Whether this kernel has POSIX message queues, and Landlock to keep programs from them."""
    return interface > 0 and kernel.offers_file_system("mqueue")


def plan_queues(errand: Errand, fd: int) -> None:
    """Open this IPC namespace's message queues as this descriptor, the lowest that is free.

    They are files too, of a file system that is mounted nowhere here. Needs root.
    """
    tree = fd + 1
    errand.call(Number.FSOPEN, b"mqueue", _FSOPEN_CLOEXEC, result=fd)
    errand.call(Number.FSCONFIG, fd, _FSCONFIG_CMD_CREATE, 0, 0, 0)
    errand.call(Number.FSMOUNT, fd, _FSMOUNT_CLOEXEC, 0, result=tree)
    errand.call(Number.DUP2, tree, fd, result=fd)
    errand.call(Number.CLOSE, tree)


def plan(errand: Errand, interface: int, queues: int, fd: int) -> None:
    """Confine this process and all it will start. Needs no_new_privs and the private mounts.

    interface: what version() has said. queues: plan_queues()'s descriptor, closed here, or -1.
    fd: the lowest free descriptor, and the next one is free.
    """
    if interface == 0:
        return
    handled = _ALL_BY_VERSION[max(v for v in _ALL_BY_VERSION if v <= interface)]
    scoped = _SCOPES if interface >= _SCOPES_SINCE else 0
    # struct landlock_ruleset_attr: handled_access_fs, handled_access_net, scoped
    attributes = struct.pack("=3Q", handled, 0, scoped)
    size = len(attributes) if scoped else 8
    errand.call(Number.LANDLOCK_CREATE_RULESET, attributes, size, 0, result=fd)
    _plan_path(errand, fd, "/", _READ & handled)
    for path in (*_WRITABLE, _PROC):
        _plan_path(errand, fd, path, handled)
    for path in _DEVICES:
        _plan_path(errand, fd, path, _DEVICE & handled)
    if queues >= 0:
        _plan_rule(errand, fd, queues, handled)
    errand.call(Number.LANDLOCK_RESTRICT_SELF, fd, 0)
    errand.call(Number.CLOSE, fd)


def _plan_path(errand: Errand, ruleset: int, path: str, access: int) -> None:
    parent = ruleset + 1
    errand.open(path, os.O_PATH, parent)
    _plan_rule(errand, ruleset, parent, access)


def _plan_rule(errand: Errand, ruleset: int, parent: int, access: int) -> None:
    """parent: closed here."""
    # struct landlock_path_beneath_attr, packed: allowed_access, parent_fd
    rule = struct.pack("=Qi", access, parent)
    errand.call(Number.LANDLOCK_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
    errand.call(Number.CLOSE, parent)
