"""The first process of a pid namespace: the smallest program that waits for ever.

It runs no code of ours or of anyone's: it asks to die with its parent (the keeper) and sleeps.
It inherits an ignored SIGCHLD, so the kernel itself reaps the orphans that a program leaves to
it. It cannot be signalled, traced or read by the program, which has another uid. When it is
killed the kernel kills everything in the namespace, and it is not reapable before all is gone.
"""

from __future__ import annotations

import struct

#: prctl(PR_SET_PDEATHSIG, SIGKILL); for (;;) pause();
_X86_64 = bytes.fromhex(
    "b89d000000"  # mov eax, 157 (prctl)
    "bf01000000"  # mov edi, 1 (PR_SET_PDEATHSIG)
    "be09000000"  # mov esi, 9 (SIGKILL)
    "0f05"  # syscall
    "b822000000"  # mov eax, 34 (pause)
    "0f05"  # syscall
    "ebf7"  # jmp to the second mov
)
#: ELF machine number and code, by os.uname().machine. Other machines: see doctor.
_MACHINES = {"x86_64": (62, _X86_64)}

_LOAD_ADDRESS = 0x400000
_HEADERS_BYTES = 64 + 56


def elf_image(machine: str) -> bytes:
    """A static ELF executable for a machine (os.uname().machine); KeyError for an unknown one."""
    number, code = _MACHINES[machine]
    size = _HEADERS_BYTES + len(code)
    header = struct.pack(
        "<4s5B7xHHIQQQIHHHHHH",
        b"\x7fELF",
        2,  # 64 bits
        1,  # little endian
        1,
        0,
        0,
        2,  # ET_EXEC
        number,
        1,
        _LOAD_ADDRESS + _HEADERS_BYTES,
        64,
        0,
        0,
        64,
        56,
        1,
        0,
        0,
        0,
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _LOAD_ADDRESS, _LOAD_ADDRESS, size, size, 0x1000)
    return header + segment + code
