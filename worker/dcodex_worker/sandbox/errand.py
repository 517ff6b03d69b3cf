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
anything else.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import os
import struct
from enum import IntEnum

from dcodex_worker.sandbox import kernel

#: Any result that is no error; any result at all; any that is no error, which ends the list and is
#: what comes of it. Otherwise the result that a call must have.
SUCCESS = -1
WHATEVER = -2
OUTCOME = -3


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
    # next: the call's number; a negative one is no call
    "488b03"  # mov rax, [rbx]
    "4885c0"  # test rax, rax
    "783c"  # js special
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
    # check:
    "488b4b38"  # mov rcx, [rbx+56]
    "4883f9fe"  # cmp rcx, WHATEVER
    "7410"  # je advance
    "4885c0"  # test rax, rax
    "7827"  # js stop
    "4883f9ff"  # cmp rcx, SUCCESS
    "7405"  # je advance
    "4839c8"  # cmp rax, rcx
    "751c"  # jne stop
    # advance:
    "4883c348"  # add rbx, 72
    "ebbc"  # jmp next
    # special: the end, or a fork
    "48ffc0"  # inc rax
    "741a"  # jz end
    "ff5308"  # call [rbx+8]
    "4863c0"  # movsxd rax, eax
    "4885c0"  # test rax, rax
    "7506"  # jnz stop
    "488b5b10"  # mov rbx, [rbx+16]
    "eba6"  # jmp next
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
_END = _ENTRY.pack(-1, *(0,) * 8)
_FORK = -2
_MAX_ARGUMENTS = 6
_LAST_DESCRIPTOR = 0xFFFFFFFF


class Failed(Exception):
    """A step failed; its name, and the errno."""

    def __init__(self, step: str, number: int) -> None:
        super().__init__(step)
        self.step = step
        self.number = number


class ChildFailed(Failed):
    """The same, in the child of a fork()."""


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
        #: Where it begins, once it is complete.
        self._begin = 0
        #: The place of the entry whose result is the outcome; its address, and that of the result.
        self._outcome_place = -1
        self._outcome_at = -1
        self._result = ctypes.c_int64(0)
        #: Of the processes that branch() makes, which write there, and what they begin with.
        self._stacks: list[tuple[ctypes.Array[ctypes.c_char], bytes]] = []
        #: Of the child that fork() makes.
        self._child: Errand | None = None
        self._loop = _loop()

    def step(self, name: str) -> None:
        """The calls from here on are this step's."""
        self._step = name

    def call(self, number: int, *arguments: int | bytes, result: int = SUCCESS) -> int:
        """Note a system call, bytes as a pointer to them with a NUL behind; returns its place."""
        values = [self.pointer(value) if isinstance(value, bytes) else value for value in arguments]
        values += [0] * (_MAX_ARGUMENTS - len(values))
        return self._note(_ENTRY.pack(number, *map(_signed, values), result, 0), result)

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

    def branch(self, flags: int, life: Errand, failed: Errand, told: int = 0) -> None:
        """Note a clone(2) with CLONE_VM, whose process makes the calls of another list.

        life: that list. failed: what it does instead from the first call of `life` on that does
        not go as expected. Both must end with an exit; they are sealed here. The process must
        have ended when this list is made again.
        told: with CLONE_PARENT_SETTID, where its pid is written to.
        """
        # The process begins behind its clone(2), as if that had been this entry.
        before = _ENTRY.pack(0, *(0,) * _MAX_ARGUMENTS, WHATEVER, 0)
        lists = []
        for entries in ([before, *life._entries], failed._entries):
            lists.append(ctypes.create_string_buffer(b"".join([*entries, _END])))
        self._kept += [*lists, life, failed]
        first, second = map(ctypes.addressof, lists)
        content = struct.pack("=3Q", first, second, _loop_address() + _NEXT)
        stack = ctypes.create_string_buffer(content, len(content))
        self._stacks.append((stack, content))
        self.call(Number.CLONE, flags, ctypes.addressof(stack), told)

    def fork(self, child: Errand) -> None:
        """Note a fork(2), the last of this list; its child makes the calls of a sealed list."""
        self._child = child
        # The C library's: its handlers (pthread_atfork) run.
        entry = (_FORK, kernel.fork_address(), child._begin, 0, 0, 0, 0, OUTCOME, 0)
        self._note(_ENTRY.pack(*entry), OUTCOME)

    def _note(self, entry: bytes, result: int) -> int:
        place = len(self._entries)
        self._entries.append(entry)
        self._steps.append(self._step)
        if result == OUTCOME:
            self._outcome_place = place
        return place

    def pointer(self, data: bytes) -> int:
        """The address of a copy of these bytes, and a NUL, that lives as long as the list."""
        copy = ctypes.create_string_buffer(data)
        self._kept.append(copy)
        return ctypes.addressof(copy)

    def seal(self) -> None:
        """The list is complete."""
        self._list = ctypes.create_string_buffer(b"".join([*self._entries, _END]))
        self._begin = ctypes.addressof(self._list)
        if self._outcome_place >= 0:
            self._outcome_at = self._begin + self._outcome_place * _ENTRY.size
            self._result = ctypes.c_int64.from_address(self._outcome_at + _ENTRY.size - 8)
        self._entries.clear()

    def set_argument(self, place: int, index: int, value: int) -> None:
        """Change one argument of a sealed list, of the call that call() gave this place."""
        assert self._list is not None
        struct.pack_into("<q", self._list, place * _ENTRY.size + 8 * (1 + index), value)

    def run(self) -> int:
        """Make the calls: what came of the one that was noted as OUTCOME, or 0. Raises Failed."""
        return self._come_to(self._make())

    def run_forking(self) -> tuple[int, int]:
        """Make the calls of a list that ends in fork(): the child's pid, and 0.

        In the child 0, and what its list came to. Raises Failed, in the child ChildFailed.
        """
        child = self._child
        assert child is not None
        stop = self._make()
        # Little is executed from here on: all that the child touches is copied for it.
        if stop == child._outcome_at and child._result.value >= 0:
            return 0, child._result.value
        if stop is not None and self._begin <= stop <= self._outcome_at:
            return self._come_to(stop), 0
        try:
            return 0, child._come_to(stop)
        except Failed as failure:
            raise ChildFailed(failure.step, failure.number) from failure

    def _make(self) -> int | None:
        for stack, content in self._stacks:
            stack.raw = content
        stop: int | None = self._loop(self._list)
        return stop

    def _come_to(self, stop: int | None) -> int:
        """stop: the address of the entry that the list ended with, unless it was the last."""
        if stop is None:
            return 0
        if stop == self._outcome_at and self._result.value >= 0:
            return self._result.value
        assert self._list is not None
        place = (stop - self._begin) // _ENTRY.size
        (result,) = struct.unpack_from("<q", self._list, (place + 1) * _ENTRY.size - 8)
        forked = self._child is not None and place == self._outcome_place
        raise Failed(self._steps[place], kernel.last_errno() if forked else max(0, -result))


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
