"""No core dumps, not even of those that a program of the host would be started for.

Where kernel.core_pattern is a command (apport, systemd-coredump), the kernel starts it as the
host's root for every crash, whatever the limit: a limit of 0 is left to the command to respect.
Only a limit of 1 byte keeps the kernel itself from it. So that is what a program has, and the
keeper answers whatever it asks about this limit (questions.py): it is 0, and stays so.
"""

from __future__ import annotations

import errno
import struct

#: The limit, in bytes: too small for a file, and the value that means no command either.
LIMIT_BYTES = 1

#: struct rlimit64: what applies, and what it may be raised to.
LIMIT = struct.Struct("<QQ")
#: What a program is told.
TOLD = LIMIT.pack(0, 0)


def decide(wanted: bytes) -> int:
    """The errno that a program is answered with who sets the limit so; 0: as if it was done."""
    if len(wanted) != LIMIT.size:
        return errno.EFAULT
    soft, hard = LIMIT.unpack(wanted)
    if soft > hard:
        return errno.EINVAL
    return 0 if hard == 0 else errno.EPERM
