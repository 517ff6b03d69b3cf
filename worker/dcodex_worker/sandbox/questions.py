"""Answers, in the keeper, what a program's filter asks before a system call is made.

What is answered with "go on" depends on numbers in registers and on the keeper's own counts
alone, so that nothing which the program changes in its memory meanwhile matters; a call whose
memory was looked at is never made by the kernel. See seccomp_unotify(2).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import struct

from dcodex_worker.sandbox import core_dumps, kernel, sockets, syscalls

#: struct seccomp_notif: id, pid, flags, number, architecture, instruction, six arguments.
_QUESTION = struct.Struct("<QIIiIQ6Q")
#: struct seccomp_notif_resp: id, value, error, flags.
_ANSWER = struct.Struct("<QqiI")
_RECEIVE = 0xC0502100  # SECCOMP_IOCTL_NOTIF_RECV
_SEND = 0xC0182101  # SECCOMP_IOCTL_NOTIF_SEND
_STILL_ASKED = 0x40082102  # SECCOMP_IOCTL_NOTIF_ID_VALID
#: SECCOMP_USER_NOTIF_FLAG_CONTINUE (Linux 5.5): the kernel does what was asked for.
_CONTINUE = 1


def answer(listener: int, process: int) -> None:
    """Answer one question, if it is still asked.

    process: the directory in /proc of one that lives in the sandbox's network.
    """
    question = bytearray(_QUESTION.size)
    # An error means that who asked is dead, or was interrupted and will ask again.
    with contextlib.suppress(OSError):
        fcntl.ioctl(listener, _RECEIVE, question, True)
        key, pid, _, number, _, _, *arguments = _QUESTION.unpack(question)
        if number in (syscalls.SOCKET, syscalls.SOCKETPAIR):
            code = sockets.decide_socket(sockets.count(process))
        elif number == syscalls.SETSOCKOPT:
            code = sockets.decide_buffer(sockets.count(process))
        else:
            code = _about_core_dumps(listener, key, pid, number, arguments)
        flags = _CONTINUE if code is None else 0
        fcntl.ioctl(listener, _SEND, _ANSWER.pack(key, 0, -(code or 0), flags))


def _about_core_dumps(listener: int, key: int, pid: int, number: int, arguments: list[int]) -> int:
    wanted = told = 0
    if number == syscalls.GETRLIMIT:
        told = arguments[1]
    elif number == syscalls.SETRLIMIT:
        wanted = arguments[1]
    else:
        wanted, told = arguments[2:4]
    try:
        if wanted:
            code = core_dumps.decide(kernel.read_memory(pid, wanted, core_dumps.LIMIT.size))
            if code:
                return code
        if told:
            # Who asks waits, and cannot have been replaced by another of the same number.
            fcntl.ioctl(listener, _STILL_ASKED, struct.pack("<Q", key))
            kernel.write_memory(pid, told, core_dumps.TOLD)
    except OSError as error:
        return error.errno or errno.EFAULT
    return 0
