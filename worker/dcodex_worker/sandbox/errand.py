"""A list of system calls, made one after another by a few machine instructions.

Theory of operation
-------------------
Between the fork of a program's process and its first own instruction lie more than a hundred
system calls. Made by Python, each writes reference counts into pages that the fork still
shares with its template, and every page so written is copied: 250 of them, a millisecond and a
half. So the calls are written down beforehand, as data, and the process that is to make them
executes the loop below, which writes nothing.

A list names its calls by the step that they belong to; the first call whose result is not as
expected ends it.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import os
import struct
from enum import IntEnum

from dcodex_worker.sandbox import kernel

#: Any result that is no error; any result at all. Otherwise the result that a call must have.
SUCCESS = -1
WHATEVER = -2


class Number(IntEnum):
    """The calls of the sandbox, as x86-64 numbers them."""

    WRITE = 1
    CLOSE = 3
    IOCTL = 16
    MADVISE = 28
    DUP2 = 33
    SOCKET = 41
    SENDMSG = 46
    CLONE = 56
    FCNTL = 72
    CHDIR = 80
    SETSID = 112
    SETGROUPS = 116
    SETRESUID = 117
    SETRESGID = 119
    CAPSET = 126
    SCHED_SETSCHEDULER = 144
    PRCTL = 157
    MOUNT = 165
    FUTEX = 202
    SET_TID_ADDRESS = 218
    EXIT_GROUP = 231
    KEYCTL = 250
    OPENAT = 257
    UNSHARE = 272
    PRLIMIT64 = 302
    SETNS = 308
    SECCOMP = 317
    FSOPEN = 430
    FSCONFIG = 431
    FSMOUNT = 432
    CLOSE_RANGE = 436
    LANDLOCK_CREATE_RULESET = 444
    LANDLOCK_ADD_RULE = 445
    LANDLOCK_RESTRICT_SELF = 446


_X86_64 = bytes.fromhex(
    "53"  # push rbx
    "4889fb"  # mov rbx, rdi
    # next: the call's number; a negative one ends the list
    "488b03"  # mov rax, [rbx]
    "4885c0"  # test rax, rax
    "7845"  # js done
    "488b7b08"  # mov rdi, [rbx+8]
    "488b7310"  # mov rsi, [rbx+16]
    "488b5318"  # mov rdx, [rbx+24]
    "4c8b5320"  # mov r10, [rbx+32]
    "4c8b4328"  # mov r8, [rbx+40]
    "4c8b4b30"  # mov r9, [rbx+48]
    # A process that is made here finds another place in a list on its stack (branch()).
    "53"  # push rbx
    "0f05"  # syscall
    "5b"  # pop rbx
    "488b4b38"  # mov rcx, [rbx+56]
    "4883f9fe"  # cmp rcx, WHATEVER
    "7410"  # je advance
    "4885c0"  # test rax, rax
    "7811"  # js fail
    "4883f9ff"  # cmp rcx, SUCCESS
    "7405"  # je advance
    "4839c8"  # cmp rax, rcx
    "7506"  # jne fail
    # advance:
    "4883c340"  # add rbx, 64
    "ebbc"  # jmp next
    # fail: the result replaces the expectation
    "48894338"  # mov [rbx+56], rax
    "4889d8"  # mov rax, rbx
    "5b"  # pop rbx
    "c3"  # ret
    # done:
    "31c0"  # xor eax, eax
    "5b"  # pop rbx
    "c3"  # ret
)

#: Where `next` is among the instructions.
_NEXT = 4
_ENTRY = struct.Struct("<8q")
_END = _ENTRY.pack(-1, *(0,) * 7)
_MAX_ARGUMENTS = 6
_AT_FDCWD = -100


class Failed(Exception):
    """A step failed; its name, and the errno."""

    def __init__(self, step: str, number: int) -> None:
        super().__init__(step)
        self.step = step
        self.number = number


class Errand:
    """One list. Write it down with step() and call(), then run() it as often as wanted."""

    def __init__(self) -> None:
        self._entries: list[bytes] = []
        #: The step of each entry.
        self._steps: list[str] = []
        self._step = ""
        #: What arguments point to.
        self._kept: list[object] = []
        self._list: ctypes.Array[ctypes.c_char] | None = None
        self._loop = _loop()

    def step(self, name: str) -> None:
        """The calls from here on are this step's."""
        self._step = name

    def call(self, number: int, *arguments: int | bytes, result: int = SUCCESS) -> int:
        """Note a system call, bytes as a pointer to them with a NUL behind; returns its place."""
        values = [self.pointer(value) if isinstance(value, bytes) else value for value in arguments]
        values += [0] * (_MAX_ARGUMENTS - len(values))
        self._entries.append(_ENTRY.pack(number, *map(_signed, values), result))
        self._steps.append(self._step)
        return len(self._entries) - 1

    def open(self, path: str, flags: int, fd: int) -> None:
        """Note an open(2) whose descriptor must be this one, the lowest that is free then."""
        self.call(Number.OPENAT, _AT_FDCWD, path.encode(), flags | os.O_CLOEXEC, result=fd)

    def write_file(self, path: str, text: str, fd: int) -> None:
        """Note the writing of a file, with this descriptor, the lowest that is free then."""
        data = text.encode()
        self.open(path, os.O_WRONLY, fd)
        self.call(Number.WRITE, fd, data, len(data), result=len(data))
        self.call(Number.CLOSE, fd)

    def mount(self, source: str, target: str, kind: str, flags: int, data: str = "") -> None:
        """Note a mount(2)."""
        self.call(
            Number.MOUNT, source.encode(), target.encode(), kind.encode(), flags, data.encode()
        )

    def branch(self, flags: int, life: Errand, failed: Errand) -> None:
        """Note a clone(2) with CLONE_VM, whose process makes the calls of another list.

        life: that list. failed: what it does instead from the first call of `life` on that does
        not go as expected. Both must end with an exit; they are sealed here.
        """
        # The process begins behind its clone(2), as if that had been this entry.
        before = _ENTRY.pack(0, *(0,) * _MAX_ARGUMENTS, WHATEVER)
        lists = []
        for entries in ([before, *life._entries], failed._entries):
            lists.append(ctypes.create_string_buffer(b"".join([*entries, _END])))
        self._kept += [*lists, life, failed]
        first, second = map(ctypes.addressof, lists)
        stack = self.pointer(struct.pack("=3Q", first, second, _loop_address() + _NEXT))
        self.call(Number.CLONE, flags, stack)

    def pointer(self, data: bytes) -> int:
        """The address of a copy of these bytes, and a NUL, that lives as long as the list."""
        copy = ctypes.create_string_buffer(data)
        self._kept.append(copy)
        return ctypes.addressof(copy)

    def seal(self) -> None:
        """The list is complete."""
        self._list = ctypes.create_string_buffer(b"".join([*self._entries, _END]))
        self._entries.clear()

    def set_argument(self, place: int, index: int, value: int) -> None:
        """Change one argument of a sealed list, of the call that call() gave this place."""
        assert self._list is not None
        struct.pack_into("<q", self._list, place * _ENTRY.size + 8 * (1 + index), value)

    def run(self) -> None:
        """Make the calls; raises Failed."""
        assert self._list is not None
        failed = self._loop(self._list)
        if failed is not None:
            offset = failed - ctypes.addressof(self._list)
            result = struct.unpack_from("<q", self._list, offset + _ENTRY.size - 8)[0]
            raise Failed(self._steps[offset // _ENTRY.size], max(0, -result))


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _loop() -> ctypes._CFunctionType:
    """The machine instructions, as a function of a list's address; None: all went well."""
    # Keeps the interpreter's lock: it takes no thread's time but this one's.
    return ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)(_loop_address())


@functools.cache
def _loop_address() -> int:
    # Private: by a shared one a program could change what its keeper executes.
    memory = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.write(_X86_64)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    kernel.protect(address, mmap.PAGESIZE, kernel.PROT_READ | kernel.PROT_EXEC)
    # Never unmapped: somebody may be executing it.
    kernel.keep_for_ever(memory)
    return address
