"""Boots a guest that has only cgroup v2 and runs inside.py in it: `make guest`.

The guest's system is this machine's own, shared read-only over 9p: /usr, the interpreter and
the repository; its kernel is any with modules, its processor emulated. Nothing is installed
and nothing of the host is written to but the log.
"""

from __future__ import annotations

import argparse
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.guest import kernel
from tests.guest.archive import Archive

REPOSITORY = Path(__file__).resolve().parents[2]
#: An emulated processor is some twenty times slower than a real one.
TIMEOUT_S = 1500.0
#: What programs need of /etc, which is otherwise the guest's own.
_ETC = ("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "services")
_ETC_FILES = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "group": "root:x:0:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
#: Links into /usr, or directories of their own where a system has not merged them.
_ROOT_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_PACKAGES = (
    "needs Debian's qemu-system-x86, busybox-static and a kernel: apt-get install "
    "qemu-system-x86 busybox-static linux-image-amd64, or, without installing the kernel, "
    "apt-get download linux-image-RELEASE-amd64 && dpkg-deb -x linux-image-*.deb DIRECTORY "
    "and ARGS='--kernel DIRECTORY'"
)


def main() -> int:
    """Exit status 0 when every check inside passed, 1 when one failed, 2 when none could run."""
    parser = argparse.ArgumentParser(prog="make guest", description=__doc__)
    parser.add_argument(
        "--kernel",
        type=Path,
        default=Path("/"),
        metavar="DIRECTORY",
        help="where boot/vmlinuz-* and lib/modules/* are (default: this machine's)",
    )
    parser.add_argument("--accelerator", default="tcg", help="qemu's -accel: tcg or kvm")
    parser.add_argument("--log", type=Path, help="file for the guest's console")
    parser.add_argument("names", nargs="*", help="parts of inside.py to run (default: all)")
    arguments = parser.parse_args()
    qemu, busybox = shutil.which("qemu-system-x86_64"), shutil.which("busybox")
    try:
        if qemu is None or busybox is None:
            raise kernel.KernelMissing("no qemu or no busybox")
        booted = kernel.find(arguments.kernel)
    except kernel.KernelMissing as error:
        print(f"make guest: {error}; it {_PACKAGES}", file=sys.stderr)
        return 2
    print(f"booting Linux {booted.release} with cgroup v2 alone", flush=True)
    with tempfile.TemporaryDirectory(prefix="dcodex-guest-") as directory:
        log = arguments.log or Path(directory, "console")
        shares = _shares()
        initial = Path(directory, "initial")
        initial.write_bytes(_initial(booted, Path(busybox), shares, arguments.names))
        command = _command(qemu, booted, initial, shares, log, arguments.accelerator)
        passed = _watch(command)
        if not passed:
            lines = log.read_text(errors="replace").splitlines()
            print("\n".join(["the end of the guest's console:", *lines[-60:]]), file=sys.stderr)
    return 0 if passed else 1


def _shares() -> list[str]:
    """Directories of this machine that the guest sees at the same places."""
    wanted = [Path("/usr"), REPOSITORY, Path(sys.prefix), Path(sys.base_prefix)]
    wanted += [Path("/", name) for name in _ROOT_LINKS if not os.path.islink(f"/{name}")]
    shares: list[str] = []
    for path in wanted:
        if path.is_dir() and not any(path.is_relative_to(share) for share in shares):
            shares.append(str(path))
    return shares


def _initial(booted: kernel.Kernel, busybox: Path, shares: list[str], names: list[str]) -> bytes:
    archive = Archive()
    archive.file("/.guest/busybox", busybox.read_bytes(), 0o755)
    archive.file("/init", Path(__file__).with_name("init.sh").read_bytes(), 0o755)
    for name, content in booted.modules:
        archive.file(f"/modules/{name}.ko", content)
    archive.file("/modules/order", _lines(name for name, _ in booted.modules))
    archive.file("/guest/shares", _lines(f"share{n} {path}" for n, path in enumerate(shares)))
    links = [name for name in _ROOT_LINKS if os.path.islink(f"/{name}")]
    archive.file("/guest/links", _lines(f"{name} {os.readlink(f'/{name}')}" for name in links))
    settings = (
        f"REPOSITORY='{REPOSITORY}'",
        f"PYTHON='{sys.executable}'",
        f"ARGUMENTS='{' '.join(names)}'",
    )
    archive.file("/guest/settings", _lines(settings))
    for name in _ETC:
        if Path("/etc", name).exists():
            archive.copy(Path("/etc", name), f"/etc/{name}")
    for name, text in _ETC_FILES.items():
        archive.file(f"/etc/{name}", text.encode())
    return archive.content()


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _command(
    qemu: str, booted: kernel.Kernel, initial: Path, shares: list[str], log: Path, accelerator: str
) -> list[str]:
    command = [qemu, "-accel", accelerator, "-cpu", "max", "-m", "2G", "-smp", "2"]
    command += ["-nodefaults", "-display", "none", "-monitor", "none", "-no-reboot"]
    command += ["-serial", f"file:{log}", "-serial", "stdio"]
    for number, path in enumerate(shares):
        command += ["-virtfs"]
        command += [
            f"local,path={path},mount_tag=share{number},security_model=none,readonly=on,"
            "multidevs=remap"
        ]
    words = "console=ttyS0 loglevel=4 panic=-1 mitigations=off cgroup_no_v1=all"
    return [*command, "-kernel", str(booted.image), "-initrd", str(initial), "-append", words]


def _watch(command: list[str]) -> bool:
    """Pass on what the guest reports; whether it ended well and in time."""
    deadline = time.monotonic() + TIMEOUT_S
    end = ""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as qemu:
        assert qemu.stdout is not None
        os.set_blocking(qemu.stdout.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(qemu.stdout, selectors.EVENT_READ)
            rest = b""
            while selector.select(max(0.0, deadline - time.monotonic())):
                data = qemu.stdout.read(65536)
                if not data:
                    break
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    end = line.decode(errors="replace").rstrip("\r")
                    print(end, flush=True)
            else:
                print(f"the guest took longer than {TIMEOUT_S:g} s", file=sys.stderr)
        qemu.kill()
    return end == "exit 0"


if __name__ == "__main__":
    sys.exit(main())
