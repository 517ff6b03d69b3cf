"""The system calls that Python does not offer, as functions that raise OSError."""

from __future__ import annotations

import ctypes
import errno
import os

_libc = ctypes.CDLL(None, use_errno=True)
#: Calls through this one keep the interpreter's lock, as the child of a fork must find it held.
_interpreter = ctypes.PyDLL(None, use_errno=True)

CLONE_VM = 0x00000100
CLONE_PARENT = 0x00008000
CLONE_PARENT_SETTID = 0x00100000
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
PR_CAPBSET_READ = 23
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
_SYS_OPENAT2 = 437
_SYS_FSOPEN = 430
_SYS_MOUNT_SETATTR = 442
_SYS_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_CREATE_RULESET_VERSION = 1
#: Of capset(2)'s header.
CAPABILITY_VERSION_3 = 0x20080522

AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_RENAME_EXCHANGE = 2
MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2

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
#: madvise(2): provide these pages now, to read or as private copies (Linux 5.14).
MADV_POPULATE_READ = 22
MADV_POPULATE_WRITE = 23
PROT_READ = 1
PROT_WRITE = 2
PROT_EXEC = 4
MAP_FIXED = 0x10
_libc.mprotect.argtypes = [ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int]
_libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4


_errno_location = _libc.__errno_location
_errno_location.restype = ctypes.c_void_p


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


def fork_address() -> int:
    """Where the C library's fork(2) is, for who does not call it by way of Python."""
    return ctypes.cast(_libc.fork, ctypes.c_void_p).value or 0


def last_errno() -> int:
    """The C library's errno of this thread."""
    return ctypes.c_int.from_address(_errno_location()).value


class _Usage(ctypes.Structure):
    """struct rusage."""

    _fields_ = (
        ("times", ctypes.c_long * 4),
        ("maxrss", ctypes.c_long),
        ("rest", ctypes.c_long * 13),
    )


def wait(pid: int) -> tuple[int, int]:
    """wait4(2): a child's wait status, and the most memory that one of its processes had, in bytes.

    os.wait4() would import a module, which shows in every fork.
    """
    status, usage = ctypes.c_int(), _Usage()
    _check(_interpreter.wait4(pid, ctypes.byref(status), 0, ctypes.byref(usage)))
    return status.value, usage.maxrss * 1024


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


def exchange(first: str, second: str) -> None:
    """Have two files or directories change places at once, with renameat2(2)."""
    path, other = first.encode(), second.encode()
    _check(_libc.renameat2(AT_FDCWD, path, AT_FDCWD, other, ctypes.c_uint(_RENAME_EXCHANGE)))


def make_readonly(target: str) -> None:
    """Make a mount and all below it read-only, without suid, with mount_setattr(2) (Linux 5.12)."""
    attributes = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0, 0)
    _check(
        _libc.syscall(
            ctypes.c_long(_SYS_MOUNT_SETATTR),
            ctypes.c_long(AT_FDCWD),
            target.encode(),
            ctypes.c_long(_AT_RECURSIVE),
            ctypes.byref(attributes),
            ctypes.c_size_t(ctypes.sizeof(attributes)),
        )
    )


def keep_for_ever(thing: object) -> None:
    """Have an object, and what it refers to, stay where it is whatever the interpreter does."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def protect(address: int, size: int, protection: int) -> None:
    """mprotect(2)."""
    _check(_libc.mprotect(address, size, protection))


def prctl(option: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0) -> int:
    """prctl(2)."""
    return _check(_libc.prctl(option, a, b, c, d))


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


def capabilities() -> int:
    """How many capabilities this kernel has."""
    number = 0
    # The kernel says where its list ends.
    while _libc.prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0:
        number += 1
    return number


def offers(number: int, *arguments: int | bytes) -> bool:
    """Whether this kernel has a system call, and what is asked of it: not ENOSYS or ENODEV.

    A call that gives no descriptor.
    """
    return _answer(number, *arguments) not in (-errno.ENOSYS, -errno.ENODEV)


def offers_file_system(kind: str) -> bool:
    """Whether this kernel has a file system, for fsopen(2) to open."""
    fd = _answer(_SYS_FSOPEN, kind.encode(), 0)
    if fd >= 0:
        os.close(fd)
    return fd >= 0


def _answer(number: int, *arguments: int | bytes) -> int:
    """What a system call returns: a negative errno when it fails."""
    words = [value if isinstance(value, bytes) else ctypes.c_long(value) for value in arguments]
    result: int = _libc.syscall(ctypes.c_long(number), *words)
    return result if result >= 0 else -ctypes.get_errno()


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
    """The version of the kernel's Landlock interface; where it has none, minus the errno."""
    answer: int = _libc.syscall(
        ctypes.c_long(_SYS_LANDLOCK_CREATE_RULESET),
        None,
        ctypes.c_size_t(0),
        ctypes.c_long(_LANDLOCK_CREATE_RULESET_VERSION),
    )
    return answer if answer > 0 else -ctypes.get_errno()
