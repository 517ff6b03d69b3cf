"""The root that programs see: small and read-only.

A template builds it once: a tmpfs with the runtime tree bound into it (/usr and the
interpreter's own directories), the few files of /etc that a program needs, and six devices.
The host's root is left by pivot_root and unmounted, so nothing else of the host can be named
any more. Each keeper then puts overlays in front of it all: an overlay's files are files of
their own, so that neither a lock nor a watch on one is seen by the host or by a neighbour.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat

from dcodex_worker.sandbox import credentials, kernel, mounts

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")

#: Of the host's /etc: bound or copied where they exist. Nothing here is secret anywhere.
_ETC = (
    "alternatives",
    "fonts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "protocols",
    "python3",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "services",
    "ssl/openssl.cnf",
    "timezone",
)
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_ETC_FILES = {
    "passwd": (
        "root:x:0:0:root:/root:/usr/sbin/nologin\n"
        f"dcodex:x:{credentials.INSIDE_ID}:{credentials.INSIDE_ID}::{mounts.WORK_DIRECTORY}:"
        "/bin/sh\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    ),
    "group": f"root:x:0:\ndcodex:x:{credentials.INSIDE_ID}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 dcodex\n",
    "hostname": "dcodex\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\nservices: files\n",
    "resolv.conf": "",
}
#: Hidden inside /usr: what an administrator puts there is no part of the runtime.
_HIDDEN = ("/usr/local", "/usr/src")

HOSTNAME = "dcodex"


#: Where the inside's own code lies until the template has imported it (leave_library()).
LIBRARY = "/.dcodex/lib"
#: Where a keeper builds its own front of the root.
_FRONT = "/.dcodex/front"
#: Where packages write, if they do, when they are imported: as programs do.
_SCRATCH = (mounts.WORK_DIRECTORY, "/tmp")
_SCRATCH_SIZE = "16m"
#: The inside's code is some hundred kilobytes.
_LIBRARY_SIZE = "2m"


def enter(staging: str, extra: tuple[tuple[str, str], ...], library: dict[str, str]) -> None:
    """Move this process into a fresh mount namespace whose root is the runtime tree.

    staging: an existing, empty directory to mount on; only this process sees the mount.
    extra: directories to show read-only beside /usr (interpreter, venv, PCHs): where they are,
        and where they are shown, both absolute.
    library: files and folders to copy below LIBRARY, as {name there: path here}.
    """
    kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS | kernel.CLONE_NEWCGROUP)
    socket.sethostname(HOSTNAME)
    kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    root = staging
    kernel.mount("dcodex", root, "tmpfs", kernel.MS_NOSUID, "mode=0755,size=4m")
    _system(root)
    _etc(root)
    _devices(root)
    for path, shown in extra:
        _bind(path, root + shown)
    _own(root)
    _library(root + LIBRARY, library)
    kernel.make_readonly(root)
    os.chdir(root)
    kernel.pivot_root(".", ".")
    # The old root now lies under the new one at the same place.
    kernel.unmount(".")
    os.chdir(mounts.WORK_DIRECTORY)


def enter_front(extra: tuple[str, ...], lenient: bool) -> int:
    """Move this process, a keeper, into a mount namespace with files of its own.

    extra: the directories beside /usr that are shown and never change.
    lenient: whether to go on with the shared files themselves where overlays cannot be had.
    Returns a descriptor of the namespace.
    """
    kernel.unshare(kernel.CLONE_NEWNS)
    # The second layer must not lie inside the first.
    kernel.mount("empty", _FRONT, "tmpfs", kernel.MS_NOSUID, "mode=0755,size=4k")
    _overlay("/", _FRONT, _FRONT, lenient)
    for path in ("/usr", *(f"/{name}" for name in _SYSTEM)):
        if os.path.ismount(path):
            _overlay(path, _FRONT + path, mounts.EMPTY_DIRECTORY, lenient)
    _hide(_FRONT)
    # Only now: an interpreter may be in what is hidden otherwise.
    for path in extra:
        os.makedirs(_FRONT + path, exist_ok=True)
        _overlay(path, _FRONT + path, mounts.EMPTY_DIRECTORY, lenient)
    for path in _shown():
        _bind(path, _FRONT + path)
    kernel.make_readonly(_FRONT)
    os.chdir(_FRONT)
    kernel.pivot_root(".", ".")
    kernel.unmount(".")
    # A keeper's own /proc, for as long as it takes to open what nothing else can.
    kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV, "")
    namespace = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    kernel.unmount("/proc")
    return namespace


def enter_private() -> None:
    """Have the private places empty and writable for whoever imports packages."""
    for path in _SCRATCH:
        kernel.mount("scratch", path, "tmpfs", kernel.MS_NOSUID, f"mode=1777,size={_SCRATCH_SIZE}")
    os.chdir(mounts.WORK_DIRECTORY)


def leave_private() -> None:
    """Take them away again, with all that was written."""
    for path in _SCRATCH:
        kernel.unmount(path)
    os.chdir(mounts.WORK_DIRECTORY)


def leave_library() -> None:
    """Take the inside's own code out of the root that sandboxes will see."""
    kernel.unmount(LIBRARY)


def _overlay(source: str, target: str, empty: str, lenient: bool) -> None:
    # An overlay without an upper layer wants two lower ones.
    layers = f"lowerdir={source}:{empty}"
    try:
        kernel.mount("dcodex", target, "overlay", kernel.MS_NOSUID | kernel.MS_RDONLY, layers)
    except OSError:
        if not lenient:
            raise
        _bind(source, target)


def _shown() -> list[str]:
    """Directories that the host goes on filling: an overlay would not show what is new."""
    folder = "/.dcodex"
    paths = [f"{folder}/{name}" for name in os.listdir(folder)]
    return [path for path in paths if path != _FRONT and os.path.ismount(path)]


def _hide(root: str) -> None:
    for path in _HIDDEN:
        if os.path.isdir(root + path):
            kernel.mount("hidden", root + path, "tmpfs", kernel.MS_NOSUID, "mode=0755,size=4k")


def _system(root: str) -> None:
    _bind("/usr", root + "/usr")
    for name in _SYSTEM:
        path = "/" + name
        if os.path.islink(path):
            os.symlink(os.readlink(path), root + path)
        elif os.path.isdir(path):
            _bind(path, root + path)
    _hide(root)


def _etc(root: str) -> None:
    os.mkdir(root + "/etc")
    for name in _ETC:
        source = "/etc/" + name
        os.makedirs(os.path.dirname(root + source), exist_ok=True)
        if os.path.isdir(source):
            shutil.copytree(source, root + source, symlinks=True)
        elif os.path.exists(source):
            shutil.copyfile(source, root + source)
    for name, text in _ETC_FILES.items():
        with open(f"{root}/etc/{name}", "w") as file:
            file.write(text)


def _devices(root: str) -> None:
    os.makedirs(root + "/dev/shm")
    for name in DEVICES:
        target = f"{root}/dev/{name}"
        device = os.stat(f"/dev/{name}")
        os.mknod(target, stat.S_IFCHR, device.st_rdev)
        os.chmod(target, 0o666)
    for name, target in (
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ):
        os.symlink(target, f"{root}/dev/{name}")


def _own(root: str) -> None:
    for path in ("/proc", "/run", "/tmp", "/var", mounts.WORK_DIRECTORY):
        # What is shown of the host may lie there too.
        os.makedirs(root + path, exist_ok=True)
    os.symlink("/tmp", root + "/var/tmp")
    os.makedirs(root + mounts.EMPTY_DIRECTORY)
    os.mkdir(root + _FRONT)


def _library(target: str, content: dict[str, str]) -> None:
    os.mkdir(target)
    kernel.mount("library", target, "tmpfs", kernel.MS_NOSUID, f"mode=0755,size={_LIBRARY_SIZE}")
    for name, source in content.items():
        if os.path.isdir(source):
            shutil.copytree(source, f"{target}/{name}", ignore=shutil.ignore_patterns("*.pyc"))
        else:
            os.makedirs(os.path.dirname(f"{target}/{name}"), exist_ok=True)
            shutil.copyfile(source, f"{target}/{name}")


def _bind(source: str, target: str) -> None:
    os.makedirs(target, exist_ok=True)
    kernel.mount(source, target, "", kernel.MS_BIND | kernel.MS_REC)
