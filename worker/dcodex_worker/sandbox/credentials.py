"""Who the program is: a user of its own that nobody else is, without any privilege."""

from __future__ import annotations

import struct

from dcodex_worker.sandbox import kernel
from dcodex_worker.sandbox.errand import Errand, Number

#: What a program sees itself as; rootfs.py names it in /etc/passwd.
INSIDE_ID = 1000


def plan(errand: Errand, host_id: int, fd: int) -> None:
    """Become user and group host_id outside, INSIDE_ID inside a new user namespace.

    The mount, network and other namespaces were made by root before: they belong to the
    initial user namespace, so that even a full set of capabilities in here would not reach them.

    fd: the lowest free descriptor.
    """
    errand.call(Number.SETGROUPS, 0, 0)
    errand.call(Number.SETRESGID, host_id, host_id, host_id)
    errand.call(Number.SETRESUID, host_id, host_id, host_id)
    # Changing uid made /proc/self belong to root; the maps below are written through it.
    errand.call(Number.PRCTL, kernel.PR_SET_DUMPABLE, 1)
    errand.call(Number.UNSHARE, kernel.CLONE_NEWUSER)
    errand.write_file("/proc/self/setgroups", "deny", fd)
    errand.write_file("/proc/self/uid_map", f"{INSIDE_ID} {host_id} 1", fd)
    errand.write_file("/proc/self/gid_map", f"{INSIDE_ID} {host_id} 1", fd)
    errand.call(Number.SETRESGID, INSIDE_ID, INSIDE_ID, INSIDE_ID)
    errand.call(Number.SETRESUID, INSIDE_ID, INSIDE_ID, INSIDE_ID)
    _plan_capabilities(errand)
    errand.call(Number.PRCTL, kernel.PR_SET_NO_NEW_PRIVS, 1)
    # A process that cannot read its own /proc/self/fd cannot open /dev/stdin. There is nobody
    # of the same user outside, and nobody else inside.
    errand.call(Number.PRCTL, kernel.PR_SET_DUMPABLE, 1)


def _plan_capabilities(errand: Errand) -> None:
    """Give up every capability of every set."""
    clear = (kernel.PR_CAP_AMBIENT, kernel.PR_CAP_AMBIENT_CLEAR_ALL)
    errand.call(Number.PRCTL, *clear)
    for number in range(kernel.capabilities()):
        errand.call(Number.PRCTL, kernel.PR_CAPBSET_DROP, number)
    header = struct.pack("=2I", kernel.CAPABILITY_VERSION_3, 0)
    errand.call(Number.CAPSET, header, bytes(24))
