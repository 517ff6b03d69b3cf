"""The seccomp filter: classic BPF made from the tables of syscalls.py.

Entry by another architecture's table (int 0x80) or by x32 kills the process: no program of
this machine does it by accident. Everything else refused gets an errno.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from dcodex_worker.sandbox import kernel, syscalls, wireform
from dcodex_worker.sandbox.errand import Errand, Number

_AUDIT_ARCH_X86_64 = 0xC000003E
_X32_BIT = 0x40000000

_RET_KILL_PROCESS = 0x80000000
_RET_ERRNO = 0x00050000
_RET_USER_NOTIF = 0x7FC00000
_RET_ALLOW = 0x7FFF0000

#: SECCOMP_FILTER_FLAG_NEW_LISTENER; and that signals wait until a call is answered (Linux 5.19).
_LISTENER = 1 << 3
_WAIT_KILLABLE = 1 << 5

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JEQ = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JGE = 0x35
_JSET = 0x45
_RETURN = 0x06
_JUMP = 0x05

#: Offsets in struct seccomp_data (little endian: the low half of an argument comes first).
_NUMBER, _ARCH, _ARG0, _ARG1, _ARG2 = 0, 4, 16, 24, 32
_HALF_BYTES = 4

_EPERM = _RET_ERRNO | errno.EPERM
_ENOSYS = _RET_ERRNO | errno.ENOSYS
_EAFNOSUPPORT = _RET_ERRNO | errno.EAFNOSUPPORT

_SET_MODE_FILTER = 1

#: sizeof(struct sock_filter).
INSTRUCTION_BYTES = 8

Instruction = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter, and how to install it."""

    #: An array of struct sock_filter.
    program: bytes
    #: seccomp(2)'s; 0: without a listener.
    flags: int


def _op(code: int, k: int, true: int = 0, false: int = 0) -> Instruction:
    return (code, true, false, k)


def _segments(allowed: list[int]) -> list[tuple[int, int]]:
    """(first number, action) of each run of numbers that are answered alike, ascending."""
    segments: list[tuple[int, int]] = []
    numbers = set(allowed)
    for number in range(syscalls.LAST_KNOWN + 2):
        if number in numbers:
            action = _RET_ALLOW
        else:
            action = _EPERM if number <= syscalls.LAST_KNOWN else _ENOSYS
        if not segments or segments[-1][1] != action:
            segments.append((number, action))
    return segments


def _search(segments: list[tuple[int, int]]) -> list[Instruction]:
    """Binary search of the segment that the number in A falls into."""
    if len(segments) == 1:
        return [_op(_RETURN, segments[0][1])]
    middle = len(segments) // 2
    low, high = _search(segments[:middle]), _search(segments[middle:])
    first = segments[middle][0]
    if len(low) <= 255:
        return [_op(_JGE, first, len(low), 0), *low, *high]
    # A conditional jump reaches 255 instructions; this one goes further.
    return [_op(_JGE, first, 0, 1), _op(_JUMP, len(low)), *low, *high]


def _when(number: int, rule: list[Instruction]) -> list[Instruction]:
    """Apply a rule, which must return, to one system call; A holds the number before and after."""
    return [_op(_JEQ, number, 0, len(rule)), *rule]


def _families(watched: int) -> list[Instruction]:
    """The rule for socket and socketpair: family in argument 0, protocol in argument 2.

    watched: the answer to what is allowed of syscalls.WATCHED_FAMILIES.
    """
    protocols: list[Instruction] = [_op(_LOAD, _ARG2)]
    for protocol in syscalls.INTERNET_PROTOCOLS:
        protocols += [_op(_JEQ, protocol, 0, 1), _op(_RETURN, watched)]
    protocols.append(_op(_RETURN, _EAFNOSUPPORT))
    rule = [
        _op(_LOAD, _ARG0),
        _op(_JEQ, syscalls.AF_UNIX, 0, 1),
        _op(_RETURN, _RET_ALLOW),
        _op(_JEQ, syscalls.AF_NETLINK, 0, 4),
        _op(_LOAD, _ARG2),
        _op(_JEQ, syscalls.NETLINK_ROUTE, 0, 1),
        _op(_RETURN, watched),
        _op(_RETURN, _EAFNOSUPPORT),
    ]
    first, second = syscalls.INTERNET_FAMILIES
    return [
        *rule,
        _op(_JEQ, first, 1, 0),
        _op(_JEQ, second, 0, len(protocols)),
        *protocols,
        _op(_RETURN, _EAFNOSUPPORT),
    ]


def _arguments(rows: list[tuple[tuple[syscalls.Condition, ...], int]]) -> list[Instruction]:
    """The rule for a system call of which some calls are answered so, and all others allowed."""
    rule: list[Instruction] = []
    for conditions, answer in rows:
        row = [_op(_RETURN, answer)]
        # From the last condition to the first: each leaps over what follows it when it fails.
        for half, how, value in reversed(conditions):
            code = _JEQ if how == syscalls.IS else _JSET
            row = [_op(_LOAD, _ARG0 + _HALF_BYTES * half), _op(code, value, 0, len(row)), *row]
        rule += row
    return [*rule, _op(_RETURN, _RET_ALLOW)]


def filter_program(watched: bool) -> bytes:
    """The filter as an array of struct sock_filter (8 bytes each).

    watched: whether its listener is asked about some calls, rather than nobody.
    """
    ask = _RET_USER_NOTIF if watched else _RET_ALLOW
    program: list[Instruction] = [
        _op(_LOAD, _ARCH),
        _op(_JEQ, _AUDIT_ARCH_X86_64, 1, 0),
        _op(_RETURN, _RET_KILL_PROCESS),
        _op(_LOAD, _NUMBER),
        _op(_JGE, _X32_BIT, 0, 1),
        _op(_RETURN, _RET_KILL_PROCESS),
    ]
    program += _when(
        syscalls.CLONE,
        [
            _op(_LOAD, _ARG0),
            _op(_JSET, syscalls.CLONE_FORBIDDEN_FLAGS, 0, 1),
            _op(_RETURN, _EPERM),
            _op(_RETURN, _RET_ALLOW),
        ],
    )
    program += _when(syscalls.CLONE3, [_op(_RETURN, _ENOSYS)])
    families = _families(ask)
    program += _when(syscalls.SOCKET, families)
    program += _when(syscalls.SOCKETPAIR, families)
    ioctls: list[Instruction] = [_op(_LOAD, _ARG1)]
    for request in syscalls.IOCTL_FORBIDDEN:
        ioctls += [_op(_JEQ, request, 0, 1), _op(_RETURN, _EPERM)]
    program += _when(syscalls.IOCTL, [*ioctls, _op(_RETURN, _RET_ALLOW)])
    table = [(n, rule, _RET_ERRNO | code) for n, rule, code in syscalls.REFUSED_ARGUMENTS]
    for number, rule, otherwise in syscalls.WATCHED_ARGUMENTS:
        unasked = _RET_ALLOW if otherwise is None else _RET_ERRNO | otherwise
        table.append((number, rule, _RET_USER_NOTIF if watched else unasked))
    for number in dict.fromkeys(number for number, _, _ in table):
        rows = [(rule, answer) for n, rule, answer in table if n == number]
        program += _when(number, _arguments(rows))
    numbers = sorted(number for _, _, group in syscalls.ALLOWED for number in group.values())
    program += _search(_segments(numbers))
    return _packed(program)


def choose() -> Filter:
    """The filter with a listener, where this kernel gives one to a process of this machine.

    It gives none where a supervisor around this machine's processes has one already.
    """
    program = filter_program(True)
    for flags in (_LISTENER | _WAIT_KILLABLE, _LISTENER):
        if is_given(program, flags):
            return Filter(program, flags)
    return Filter(filter_program(False), 0)


def plan(errand: Errand, chosen: Filter, channel: int, words: bytes, fd: int) -> None:
    """Confine this process and all it will start. Needs no_new_privs; last of all steps.

    channel: the socket that then gets these words, and with them the listener by which calls are
    to be answered, if there is one. fd: the lowest free descriptor.
    """
    errand.call(
        Number.SECCOMP,
        _SET_MODE_FILTER,
        chosen.flags,
        _program_argument(errand, chosen.program),
        result=fd if chosen.flags else 0,
    )
    message = wireform.outgoing(errand, words, (fd,) if chosen.flags else ())
    errand.call(Number.SENDMSG, channel, message, 0, result=len(words))
    if chosen.flags:
        errand.call(Number.CLOSE, fd)


def plan_only(errand: Errand, allowed: Iterable[int]) -> None:
    """Kill this process for any system call but these. Needs no_new_privs."""
    program = [
        _op(_LOAD, _ARCH),
        _op(_JEQ, _AUDIT_ARCH_X86_64, 1, 0),
        _op(_RETURN, _RET_KILL_PROCESS),
        _op(_LOAD, _NUMBER),
    ]
    for number in allowed:
        program += [_op(_JEQ, number, 0, 1), _op(_RETURN, _RET_ALLOW)]
    program.append(_op(_RETURN, _RET_KILL_PROCESS))
    argument = _program_argument(errand, _packed(program))
    errand.call(Number.SECCOMP, _SET_MODE_FILTER, 0, argument)


def _packed(program: list[Instruction]) -> bytes:
    return b"".join(struct.pack("<HBBI", code, jt, jf, k) for code, jt, jf, k in program)


def _program_argument(errand: Errand, program: bytes) -> bytes:
    """struct sock_fprog: the number of instructions, and where they are."""
    return struct.pack("=H6xQ", len(program) // INSTRUCTION_BYTES, errand.pointer(program))


def is_given(program: bytes, flags: int) -> bool:
    """Whether a process can have this filter; tried in one of its own."""
    errand = Errand()
    errand.step("trial")
    argument = _program_argument(errand, program)
    errand.call(Number.SECCOMP, _SET_MODE_FILTER, flags, argument)
    errand.call(Number.EXIT_GROUP, 0)
    errand.seal()
    child = kernel.fork()
    if child == 0:
        try:
            errand.run()
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0
