"""Who the program is: a user of its own that nobody else is, without any privilege."""

from __future__ import annotations

import os

from dcodex_worker.sandbox import kernel

#: What a program sees itself as; rootfs.py names it in /etc/passwd.
INSIDE_ID = 1000


def enter(host_id: int) -> None:
    """Become user and group host_id outside, INSIDE_ID inside a new user namespace.

    The mount, network and other namespaces were made by root before: they belong to the
    initial user namespace, so that even a full set of capabilities in here would not reach them.
    """
    os.setgroups([])
    os.setresgid(host_id, host_id, host_id)
    os.setresuid(host_id, host_id, host_id)
    # Changing uid made /proc/self belong to root; the maps below are written through it.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
    kernel.unshare(kernel.CLONE_NEWUSER)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{INSIDE_ID} {host_id} 1")
    _write("/proc/self/gid_map", f"{INSIDE_ID} {host_id} 1")
    os.setresgid(INSIDE_ID, INSIDE_ID, INSIDE_ID)
    os.setresuid(INSIDE_ID, INSIDE_ID, INSIDE_ID)
    kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    # A process that cannot read its own /proc/self/fd cannot open /dev/stdin. There is nobody
    # of the same user outside, and nobody else inside.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
