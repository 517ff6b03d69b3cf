"""A list of system calls, made one after another by a few machine instructions.

Theory of operation
-------------------
Between the fork of a program's process and its first own instruction lie more than a hundred
system calls. Made by Python, each writes reference counts into pages that the fork still
shares with its template, and every page so written is copied: 250 of them, a millisecond and a
half. So the calls are written down beforehand, as data, and the process that is to make them
executes the loop below, which writes nothing.

A list names its calls by the step that they belong to; the first call whose result is not as
expected ends it. A list may fork, and the child goes on in another list without having executed
anything else. A list may go on in another one, or begin anew: where to is read from memory, which
a call before it may have written.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import os
import struct
from enum import IntEnum

from dcodex_worker.sandbox import kernel

#: Any result that is no error; any result at all. Otherwise the result that a call must have: a
#: negative errno is one too, the largest of which is 4095.
SUCCESS = -4096
WHATEVER = -4097


class Number(IntEnum):
    """The calls of the sandbox, as x86-64 numbers them."""

    WRITE = 1
    CLOSE = 3
    MMAP = 9
    RT_SIGACTION = 13
    RT_SIGPROCMASK = 14
    IOCTL = 16
    MADVISE = 28
    DUP2 = 33
    PAUSE = 34
    SOCKET = 41
    SENDMSG = 46
    RECVMSG = 47
    CLONE = 56
    WAIT4 = 61
    FCNTL = 72
    CHDIR = 80
    SETSID = 112
    SETGROUPS = 116
    SETRESUID = 117
    SETRESGID = 119
    CAPSET = 126
    SETPRIORITY = 141
    SCHED_SETSCHEDULER = 144
    PRCTL = 157
    MOUNT = 165
    FUTEX = 202
    SET_TID_ADDRESS = 218
    EXIT_GROUP = 231
    WAITID = 247
    KEYCTL = 250
    OPENAT = 257
    UNSHARE = 272
    PRLIMIT64 = 302
    SETNS = 308
    SECCOMP = 317
    FSOPEN = 430
    FSCONFIG = 431
    FSMOUNT = 432
    PIDFD_OPEN = 434
    CLOSE_RANGE = 436
    LANDLOCK_CREATE_RULESET = 444
    LANDLOCK_ADD_RULE = 445
    LANDLOCK_RESTRICT_SELF = 446


_X86_64 = bytes.fromhex(
    "53"  # push rbx
    "4889fb"  # mov rbx, rdi
    # next: the call's number; a negative one is no call
    "488b03"  # mov rax, [rbx]
    "4885c0"  # test rax, rax
    "7842"  # js special
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
    "4881f9ffefffff"  # cmp rcx, WHATEVER
    "7413"  # je advance
    "4885c0"  # test rax, rax
    "7809"  # js maybe
    "4881f900f0ffff"  # cmp rcx, SUCCESS
    "7405"  # je advance
    # negative: perhaps the error that is expected
    "4839c8"  # cmp rax, rcx
    "7546"  # jne stop
    # advance:
    "4883c348"  # add rbx, 72
    "ebb6"  # jmp next
    # special: the end, a fork, a jump or a store
    "48ffc0"  # inc rax
    "7444"  # jz end
    "48ffc0"  # inc rax
    "7417"  # jz fork
    "488b4b08"  # mov rcx, [rbx+8]
    "48ffc0"  # inc rax
    "7409"  # jz goto
    "488b4310"  # mov rax, [rbx+16]
    "488901"  # mov [rcx], rax
    "ebde"  # jmp advance
    # goto:
    "488b19"  # mov rbx, [rcx]
    "eb95"  # jmp next
    # fork:
    "ff5308"  # call [rbx+8]
    "4863c0"  # movsxd rax, eax
    "4885c0"  # test rax, rax
    "7814"  # js stop
    "7409"  # jz child
    "488b4b18"  # mov rcx, [rbx+24]
    "488901"  # mov [rcx], rax
    "ebc3"  # jmp advance
    # child:
    "488b5b10"  # mov rbx, [rbx+16]
    "e976ffffff"  # jmp next
    # stop:
    "48894340"  # mov [rbx+64], rax
    "4889d8"  # mov rax, rbx
    "5b"  # pop rbx
    "c3"  # ret
    # end:
    "31c0"  # xor eax, eax
    "5b"  # pop rbx
    "c3"  # ret
)

#: The machines that it is written for, as os.uname() names them.
MACHINES = ("x86_64",)
#: Where `next` is among the instructions.
_NEXT = 4
#: A call's number, its six arguments, the result that it must have, and the one it had when the
#: list ended there.
_ENTRY = struct.Struct("<9q")
ENTRY_BYTES = _ENTRY.size
#: What closes a list.
END = _ENTRY.pack(-1, *(0,) * 8)
_FORK = -2
_GOTO = -3
_STORE = -4
_MAX_ARGUMENTS = 6
_LAST_DESCRIPTOR = 0xFFFFFFFF


class Failed(Exception):
    """A step failed; its name, and the errno."""

    def __init__(self, step: str, number: int) -> None:
        super().__init__(step)
        self.step = step
        self.number = number


class Errand:
    """One list: written down with step() and call(), sealed, then made as often as wanted."""

    def __init__(self) -> None:
        self._entries: list[bytes] = []
        #: The step of each entry.
        self._steps: list[str] = []
        self._step = ""
        #: What arguments point to.
        self._kept: list[object] = []
        self._list: ctypes.Array[ctypes.c_char] | None = None
        #: Where it begins, once it is complete.
        self.begin = 0

    def step(self, name: str) -> None:
        """The calls from here on are this step's."""
        self._step = name

    def call(self, number: int, *arguments: int | bytes, result: int = SUCCESS) -> int:
        """Note a system call, bytes as a pointer to them with a NUL behind; returns its place."""
        values = [self.pointer(value) if isinstance(value, bytes) else value for value in arguments]
        return self._note(pack_call(number, *values, result=result))

    def open(self, path: str, flags: int, fd: int) -> None:
        """Note an open(2) whose descriptor must be this one, the lowest that is free then."""
        self.call(Number.OPENAT, kernel.AT_FDCWD, path.encode(), flags | os.O_CLOEXEC, result=fd)

    def write_file(self, path: str, text: str, fd: int) -> None:
        """Note the writing of a file, with this descriptor, the lowest that is free then."""
        data = text.encode()
        self.open(path, os.O_WRONLY, fd)
        self.call(Number.WRITE, fd, data, len(data), result=len(data))
        self.call(Number.CLOSE, fd)

    def close_from(self, first: int) -> None:
        """Note the closing of all descriptors from this one on."""
        self.call(Number.CLOSE_RANGE, first, _LAST_DESCRIPTOR, 0)

    def mount(self, source: str, target: str, kind: str, flags: int, data: str = "") -> None:
        """Note a mount(2)."""
        self.call(
            Number.MOUNT, source.encode(), target.encode(), kind.encode(), flags, data.encode()
        )

    def branch(self, flags: int, life: Errand, failed: Errand, told: int = 0) -> int:
        """Note a clone(2) with CLONE_VM, whose process makes the calls of another list.

        life: that list. failed: what it does instead from the first call of `life` on that does
        not go as expected. Both must end with an exit; they are sealed here. The process must
        have ended when this list is made again.
        told: with CLONE_PARENT_SETTID, where its pid is written to, 4 bytes. Returns the place
        of the call, whose third argument that is.
        """
        # The process begins behind its clone(2), as if that had been this entry.
        before = _ENTRY.pack(0, *(0,) * _MAX_ARGUMENTS, WHATEVER, 0)
        lists = []
        for entries in ([before, *life._entries], failed._entries):
            lists.append(ctypes.create_string_buffer(b"".join([*entries, END])))
        self._kept += [*lists, life, failed]
        first, second = map(ctypes.addressof, lists)
        stack = self.pointer(struct.pack("=3Q", first, second, _loop_address() + _NEXT))
        # The process leaves its last place there.
        self.store(stack, first)
        return self.call(Number.CLONE, flags, stack, told)

    def fork(self, child: Errand, told: int) -> int:
        """Note a fork(2), whose child makes the calls of a sealed list.

        told: where the child's pid is written to, 8 bytes. Returns the entry's place, whose third
        argument that is.
        """
        self._kept.append(child)
        # The C library's: its handlers (pthread_atfork) run.
        entry = (_FORK, kernel.fork_address(), child.begin, told, 0, 0, 0, SUCCESS, 0)
        return self._note(_ENTRY.pack(*entry))

    def goto(self, pointer: int) -> None:
        """Go on with the entry whose address is at this address then."""
        self._note(pack_goto(pointer))

    def store(self, address: int, value: int) -> None:
        """Note the writing of 8 bytes."""
        self._note(_ENTRY.pack(_STORE, address, _signed(value), 0, 0, 0, 0, SUCCESS, 0))

    def _note(self, entry: bytes) -> int:
        self._entries.append(entry)
        self._steps.append(self._step)
        return len(self._entries) - 1

    def pointer(self, data: bytes) -> int:
        """The address of a copy of these bytes, and a NUL, that lives as long as the list."""
        copy = ctypes.create_string_buffer(data)
        self._kept.append(copy)
        return ctypes.addressof(copy)

    def seal(self) -> None:
        """The list is complete."""
        self._list = ctypes.create_string_buffer(b"".join([*self._entries, END]))
        self.begin = ctypes.addressof(self._list)
        self._entries.clear()

    def entry(self, place: int) -> int:
        """The address of an entry of a sealed list."""
        return self.begin + place * _ENTRY.size

    def argument(self, place: int, index: int) -> int:
        """The address of a call's argument in a sealed list."""
        return self.entry(place) + 8 * (1 + index)

    def set_argument(self, place: int, index: int, value: int) -> None:
        """Change one argument of a sealed list, of the entry that has this place."""
        assert self._list is not None
        struct.pack_into("<q", self._list, self.argument(place, index) - self.begin, value)

    def run(self) -> None:
        """Make the calls, to the end of the list. Raises Failed."""
        stop = make(self.begin)
        if stop is not None:
            failure = self.failure(stop)
            assert failure is not None
            raise failure

    def failure(self, stop: int) -> Failed | None:
        """What failed where calls that were made ended at this address; None: nothing of this."""
        place, rest = divmod(stop - self.begin, _ENTRY.size)
        if rest or not 0 <= place < len(self._steps):
            return None
        forking = number_at(stop) == _FORK
        error = kernel.last_errno() if forking else -result_at(stop)
        return Failed(self._steps[place], max(0, error))


def make(begin: int) -> int | None:
    """Make the calls from an entry on; where they ended, None: at the end of a list."""
    stop: int | None = _loop()(begin)
    return stop


def result_at(stop: int) -> int:
    """What the call returned that ended a list at this address."""
    return ctypes.c_int64.from_address(stop + _ENTRY.size - 8).value


def number_at(stop: int) -> int:
    """The number of the call that ended a list at this address."""
    return ctypes.c_int64.from_address(stop).value


def pack_call(number: int, *arguments: int, result: int = SUCCESS) -> bytes:
    """A call as it is noted."""
    values = [*map(_signed, arguments), *(0,) * (_MAX_ARGUMENTS - len(arguments))]
    return _ENTRY.pack(number, *values, result, 0)


def pack_goto(pointer: int) -> bytes:
    """A jump as it is noted."""
    return _ENTRY.pack(_GOTO, pointer, 0, 0, 0, 0, 0, SUCCESS, 0)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


@functools.cache
def _loop() -> ctypes._CFunctionType:
    """The machine instructions, as a function of an entry's address; None: all went well."""
    # Keeps the interpreter's lock: it takes no thread's time but this one's.
    return ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(_loop_address())


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
