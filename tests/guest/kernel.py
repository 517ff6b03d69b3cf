"""A Linux kernel to boot: its image and the modules that reach the host's files from inside."""

from __future__ import annotations

import lzma
import re
from dataclasses import dataclass
from pathlib import Path

#: What the guest asks for: the host's directories over 9p, on a virtio bus, and what sandboxes
#: mount, for which nobody is there to load a module.
WANTED = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")


class KernelMissing(Exception):
    """There is none that can be used; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel."""

    release: str
    image: Path
    #: Name and content of each module, in the order of loading.
    modules: tuple[tuple[str, bytes], ...]


def find(root: Path) -> Kernel:
    """The newest kernel below ROOT/boot that has its modules in ROOT/lib/modules.

    Raises KernelMissing.
    """
    releases = [
        path.name.removeprefix("vmlinuz-") for path in sorted(root.glob("boot/vmlinuz-*"), key=_age)
    ]
    for release in reversed(releases):
        folder = root / "lib/modules" / release
        if folder.is_dir():
            return Kernel(release, root / "boot" / f"vmlinuz-{release}", _modules(folder))
    raise KernelMissing(f"no kernel with its modules below {root}")


def _age(path: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", path.name))


def _modules(folder: Path) -> tuple[tuple[str, bytes], ...]:
    """The wanted modules after those that they need; what is built in has no file."""
    files = {
        path.name.split(".")[0].replace("-", "_"): path for path in folder.rglob("kernel/**/*.ko*")
    }
    ordered: dict[str, bytes] = {}

    def add(name: str) -> None:
        if name in ordered or name not in files:
            return
        content = files[name].read_bytes()
        if files[name].suffix == ".xz":
            content = lzma.decompress(content)
        found = _DEPENDS.search(content)
        for needed in found[1].decode().split(",") if found else ():
            add(needed.replace("-", "_"))
        ordered[name] = content

    for name in WANTED:
        add(name)
    if "9p" not in ordered:
        raise KernelMissing(f"the kernel of {folder} has no 9p (Debian's cloud kernels have not)")
    return tuple(ordered.items())
