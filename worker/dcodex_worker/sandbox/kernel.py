"""The system calls that Python does not offer, as functions that raise OSError."""

from __future__ import annotations

import ctypes
import errno
import os

_libc = ctypes.CDLL(None, use_errno=True)
#: Calls through this one keep the interpreter's lock, as the child of a fork must find it held.
_interpreter = ctypes.PyDLL(None, use_errno=True)

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

RESOLVE_NO_XDEV = 0x01
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08

#: Numbers of calls without a libc wrapper; the same on every architecture since Linux 5.
_SYS_PIDFD_SEND_SIGNAL = 424
_SYS_CLOSE_RANGE = 436
_SYS_OPENAT2 = 437
_SYS_FSOPEN = 430
_SYS_FSCONFIG = 431
_SYS_FSMOUNT = 432
_SYS_MOUNT_SETATTR = 442
_SYS_LANDLOCK_CREATE_RULESET = 444
_SYS_LANDLOCK_ADD_RULE = 445
_SYS_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_CREATE_RULESET_VERSION = 1
_SYS_SECCOMP = 317 if os.uname().machine == "x86_64" else 277  # the latter is asm-generic
_SECCOMP_SET_MODE_FILTER = 1
_FSOPEN_CLOEXEC = _FSMOUNT_CLOEXEC = 1
_FSCONFIG_CMD_CREATE = 6
_SYS_KEYCTL = 250 if os.uname().machine == "x86_64" else 219  # the latter is asm-generic
_KEYCTL_JOIN_SESSION_KEYRING = 1
#: capset(2) differs by architecture; libc exports it without declaring it.
_CAPABILITY_VERSION_3 = 0x20080522

_AT_EMPTY_PATH = 0x1000
_AT_RECURSIVE = 0x8000
MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4

_libc.syscall.restype = ctypes.c_long
_libc.mount.argtypes = [
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_ulong,
    ctypes.c_char_p,
]
for _function in (_libc.process_vm_readv, _libc.process_vm_writev):
    _function.argtypes = [
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_ulong,
        ctypes.c_void_p,
        ctypes.c_ulong,
        ctypes.c_ulong,
    ]
    _function.restype = ctypes.c_ssize_t
_MADV_POPULATE_READ = 22
_MADV_POPULATE_WRITE = 23
_libc.madvise.argtypes = [ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int]
_libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4


def _check(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def fork() -> int:
    """fork(2) by the C library alone: its handlers (pthread_atfork) run, Python's do not.

    Python's reinitialise locks that other threads may hold, and the random module: they write
    into two hundred pages that the child would otherwise share. For processes with one thread.
    """
    return _check(_interpreter.fork())


def unshare(flags: int) -> None:
    """unshare(2)."""
    _check(_libc.unshare(flags))


def setns(fd: int, kind: int) -> None:
    """setns(2)."""
    _check(_libc.setns(fd, kind))


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """mount(2); the error names the target."""
    result = _libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode())
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), target)


def unmount(target: str) -> None:
    """umount2(2) with MNT_DETACH."""
    _check(_libc.umount2(target.encode(), MNT_DETACH))


def pivot_root(new: str, old: str) -> None:
    """pivot_root(2)."""
    number = 155 if os.uname().machine == "x86_64" else 41  # the latter is asm-generic
    _check(_libc.syscall(ctypes.c_long(number), new.encode(), old.encode()))


def open_file_system(kind: str) -> int:
    """A descriptor of the root of a file system that is mounted nowhere, with fsopen(2)."""
    context = _check(
        _libc.syscall(ctypes.c_long(_SYS_FSOPEN), kind.encode(), ctypes.c_long(_FSOPEN_CLOEXEC))
    )
    try:
        _check(
            _libc.syscall(
                ctypes.c_long(_SYS_FSCONFIG),
                ctypes.c_long(context),
                ctypes.c_long(_FSCONFIG_CMD_CREATE),
                None,
                None,
                ctypes.c_long(0),
            )
        )
        return _check(
            _libc.syscall(
                ctypes.c_long(_SYS_FSMOUNT),
                ctypes.c_long(context),
                ctypes.c_long(_FSMOUNT_CLOEXEC),
                ctypes.c_long(0),
            )
        )
    finally:
        os.close(context)


def make_readonly(target: str) -> None:
    """Make a mount and all below it read-only, without suid, with mount_setattr(2) (Linux 5.12)."""
    attributes = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0, 0)
    _check(
        _libc.syscall(
            ctypes.c_long(_SYS_MOUNT_SETATTR),
            ctypes.c_long(-100),
            target.encode(),
            ctypes.c_long(_AT_RECURSIVE),
            ctypes.byref(attributes),
            ctypes.c_size_t(ctypes.sizeof(attributes)),
        )
    )


def populate(address: int, size: int, writable: bool) -> None:
    """madvise(2): provide these pages now, private copies if writable (Linux 5.14).

    Errors are passed over: it only saves time.
    """
    advice = _MADV_POPULATE_WRITE if writable else _MADV_POPULATE_READ
    _libc.madvise(address, size, advice)


def prctl(option: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0) -> int:
    """prctl(2)."""
    return _check(_libc.prctl(option, a, b, c, d))


def drop_capabilities() -> None:
    """Give up every capability of every set of this thread."""
    _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    number = 0
    # The kernel says where its list ends.
    while _libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0:
        number += 1
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)()
    _check(_libc.capset(ctypes.byref(header), ctypes.byref(data)))


def leave_session_keyring() -> None:
    """Exchange this process's session keyring for a new, empty one that has no name."""
    try:
        _check(
            _libc.syscall(
                ctypes.c_long(_SYS_KEYCTL), ctypes.c_long(_KEYCTL_JOIN_SESSION_KEYRING), None
            )
        )
    except OSError as error:
        # A kernel without keyrings has none to leave.
        if error.errno != errno.ENOSYS:
            raise


def set_seccomp_filter(program: bytes, flags: int) -> int:
    """Install a seccomp filter: an array of struct sock_filter. Needs no_new_privs.

    Returns its listener, where the flags (seccomp(2)) ask for one.
    """

    class SockFprog(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]

    argument = SockFprog(len(program) // 8, program)
    return _check(
        _libc.syscall(
            ctypes.c_long(_SYS_SECCOMP),
            ctypes.c_ulong(_SECCOMP_SET_MODE_FILTER),
            ctypes.c_ulong(flags),
            ctypes.byref(argument),
        )
    )


class _Stretch(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("address", ctypes.c_void_p), ("size", ctypes.c_size_t))


def read_memory(pid: int, address: int, size: int) -> bytes:
    """process_vm_readv(2): bytes of another process's memory."""
    buffer = ctypes.create_string_buffer(size)
    here, there = _Stretch(ctypes.addressof(buffer), size), _Stretch(address, size)
    count = _check(_libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0))
    return buffer.raw[:count]


def write_memory(pid: int, address: int, data: bytes) -> None:
    """process_vm_writev(2)."""
    buffer = ctypes.create_string_buffer(data, len(data))
    here, there = _Stretch(ctypes.addressof(buffer), len(data)), _Stretch(address, len(data))
    _check(_libc.process_vm_writev(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0))


def close_range(first: int, last: int = 0xFFFFFFFF) -> None:
    """close_range(2) (Linux 5.9)."""
    _check(
        _libc.syscall(
            ctypes.c_long(_SYS_CLOSE_RANGE),
            ctypes.c_ulong(first),
            ctypes.c_ulong(last),
            ctypes.c_ulong(0),
        )
    )


def open_beneath(directory: int, path: str, flags: int) -> int:
    """openat2(2) that follows no link and leaves neither the directory nor its mount."""
    resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV
    how = (ctypes.c_uint64 * 3)(flags | os.O_CLOEXEC, 0, resolve)
    return _check(
        _libc.syscall(
            ctypes.c_long(_SYS_OPENAT2),
            ctypes.c_long(directory),
            path.encode(),
            ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )
    )


def pidfd_send_signal(pidfd: int, number: int) -> None:
    """pidfd_send_signal(2); ProcessLookupError when the process is gone."""
    _check(
        _libc.syscall(
            ctypes.c_long(_SYS_PIDFD_SEND_SIGNAL),
            ctypes.c_long(pidfd),
            ctypes.c_long(number),
            None,
            ctypes.c_ulong(0),
        )
    )


def landlock_version() -> int:
    """The version of the kernel's Landlock interface; 0 where it has none."""
    answer: int = _libc.syscall(
        ctypes.c_long(_SYS_LANDLOCK_CREATE_RULESET),
        None,
        ctypes.c_size_t(0),
        ctypes.c_long(_LANDLOCK_CREATE_RULESET_VERSION),
    )
    return max(0, answer)


def landlock_create_ruleset(attributes: ctypes.Structure, size: int) -> int:
    """landlock_create_ruleset(2): a descriptor."""
    return _check(
        _libc.syscall(
            ctypes.c_long(_SYS_LANDLOCK_CREATE_RULESET),
            ctypes.byref(attributes),
            ctypes.c_size_t(size),
            ctypes.c_long(0),
        )
    )


def landlock_add_rule(ruleset: int, kind: int, rule: ctypes.Structure) -> None:
    """landlock_add_rule(2)."""
    _check(
        _libc.syscall(
            ctypes.c_long(_SYS_LANDLOCK_ADD_RULE),
            ctypes.c_long(ruleset),
            ctypes.c_long(kind),
            ctypes.byref(rule),
            ctypes.c_long(0),
        )
    )


def landlock_restrict_self(ruleset: int) -> None:
    """landlock_restrict_self(2). Needs no_new_privs."""
    _check(
        _libc.syscall(
            ctypes.c_long(_SYS_LANDLOCK_RESTRICT_SELF), ctypes.c_long(ruleset), ctypes.c_long(0)
        )
    )
