"""Runs a command on a machine that really lacks something.

    PYTHONPATH=. python -P -m tests.sandbox.lacking NAME COMMAND ...

The process takes it away from itself, for ever, and becomes the command: by a filter of system
calls such as containers have, or in a mount namespace of its own.
"""

from __future__ import annotations

import ctypes
import errno
import importlib
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from dcodex_worker.sandbox import kernel

_UNSHARE = 272
_PIVOT_ROOT = 155
_KEYCTL = 250
_SECCOMP = 317
_LANDLOCK_CREATE_RULESET = 444
NOBODY = 65534

_LOAD, _JUMP_EQUAL, _JUMP_ANY, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _ERRNO, _ASK = 0x7FFF0000, 0x00050000, 0x7FC00000
_NUMBER, _ARGUMENT = 0, 16
_NEW_LISTENER = 8


def refuse(numbers: tuple[int, ...], error: int) -> None:
    """Have these system calls answered with an errno from here on."""
    if not numbers:
        return
    program = [(_LOAD, 0, 0, _NUMBER)]
    for number in numbers:
        program += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | error)]
    _install([*program, (_RETURN, 0, 0, _ALLOW)], 0)


def _install(program: list[tuple[int, int, int, int]], flags: int) -> int:
    """seccomp(2); returns the listener where the flags ask for one."""
    text = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *row) for row in program))
    argument = struct.pack("=H6xQ", len(program), ctypes.addressof(text))
    result = ctypes.CDLL(None, use_errno=True).syscall(_SECCOMP, 1, flags, argument)
    if result < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return int(result)


def _without_user_namespaces() -> None:
    _install(
        [
            (_LOAD, 0, 0, _NUMBER),
            (_JUMP_EQUAL, 0, 3, _UNSHARE),
            (_LOAD, 0, 0, _ARGUMENT),
            (_JUMP_ANY, 0, 1, kernel.CLONE_NEWUSER),
            (_RETURN, 0, 0, _ERRNO | errno.EPERM),
            (_RETURN, 0, 0, _ALLOW),
        ],
        0,
    )


def _below_a_listener() -> None:
    """As below a supervisor that listens to a filter of its own: a process has but one."""
    # Nothing that is called: what it would ask is never asked.
    program = [
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_EQUAL, 0, 1, 0xFFFF),
        (_RETURN, 0, 0, _ASK),
        (_RETURN, 0, 0, _ALLOW),
    ]
    # It is there for as long as somebody has this.
    os.set_inheritable(_install(program, _NEW_LISTENER), True)


def _without_controller(name: str) -> None:
    _own_mounts()
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split(" ")
        if kind == "cgroup" and name in options.split(","):
            kernel.unmount(where)


def _without_overlays() -> None:
    """/usr is as deep in overlays already as the kernel stacks them."""
    _own_mounts()
    folder = "/mnt"
    kernel.mount("x", folder, "tmpfs", 0, "size=64k")
    lower = "/usr"
    for depth in ("1", "2"):
        place = f"{folder}/{depth}"
        os.mkdir(place)
        kernel.mount("x", place, "overlay", kernel.MS_RDONLY, f"lowerdir={lower}:/etc")
        lower = place
    kernel.mount(lower, "/usr", "", kernel.MS_BIND)


def _own_mounts() -> None:
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)


def _as_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def _without_capability(number: int) -> None:
    """As root in a container that was not given it."""
    ctypes.CDLL(None).prctl(kernel.PR_CAPBSET_DROP, number, 0, 0, 0)


LACKS: dict[str, Callable[[], object]] = {
    "landlock": lambda: refuse((_LANDLOCK_CREATE_RULESET,), errno.EOPNOTSUPP),
    "keyring": lambda: refuse((_KEYCTL,), errno.EPERM),
    "seccomp-listener": _below_a_listener,
    "cpu-share": lambda: _without_controller("cpu"),
    "overlayfs": _without_overlays,
    "memory": lambda: _without_controller("memory"),
    "pids": lambda: _without_controller("pids"),
    "user-namespaces": _without_user_namespaces,
    "pivot_root": lambda: refuse((_PIVOT_ROOT,), errno.EPERM),
    "seccomp": lambda: refuse((_SECCOMP,), errno.ENOSYS),
    "root": _as_nobody,
    # Which nobody needs.
    "CAP_SYS_TIME": lambda: _without_capability(25),
    "CAP_NET_ADMIN": lambda: _without_capability(12),
}


def main() -> None:
    """Never returns. The command of a user without rights is `python ... -m MODULE ...`."""
    name, *command = sys.argv[1:]
    if name == "root":
        # Before: others may not even read the interpreter, where it is root's own.
        module, *arguments = command[command.index("-m") + 1 :]
        package = importlib.import_module(module)
        entry = (
            package if hasattr(package, "main") else importlib.import_module(f"{module}.__main__")
        )
        LACKS[name]()
        sys.exit(entry.main(arguments))
    LACKS[name]()
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
