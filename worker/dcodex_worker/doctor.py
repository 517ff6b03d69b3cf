"""`dcodex doctor`: what this machine can and cannot enforce, in words an operator can act on.

Each check tries the real thing: the last one arms a sandbox and runs a program in it.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from dcodex_shared.config import ConfigError, WorkerSettings, add_flags, load
from dcodex_shared.findings import Finding, as_json, as_text, is_fit
from dcodex_shared.limits import DEFAULT_LIMITS
from dcodex_shared.program import Program, SourceFile
from dcodex_worker.runtimes import Slots, Templates, Workshop, native, python
from dcodex_worker.sandbox import cgroup, init, seccomp
from dcodex_worker.sandbox.box import SetupError
from dcodex_worker.sandbox.trial import run_to_end

#: The newest call without which no sandbox can be made: mount_setattr.
OLDEST_KERNEL = (5, 12)
_CAPABILITIES = {
    "CAP_CHOWN": 0,
    "CAP_KILL": 5,
    "CAP_SETGID": 6,
    "CAP_SETUID": 7,
    "CAP_SETPCAP": 8,
    "CAP_NET_ADMIN": 12,
    "CAP_SYS_CHROOT": 18,
    "CAP_SYS_PTRACE": 19,
    "CAP_SYS_ADMIN": 21,
}
_CAP_SYS_RESOURCE = 24


def examine(settings: WorkerSettings) -> list[Finding]:
    """Every check, in order; the last one only when the others allow it."""
    findings = [check(settings) for check in _CHECKS]
    if is_fit(findings):
        findings.append(_trial(settings))
    return findings


def main(argv: Sequence[str] | None = None) -> int:
    """Print the findings.

    0: a worker would start here; 1: it would refuse to; 2: a flag or setting is wrong.
    """
    parser = argparse.ArgumentParser(
        prog="dcodex doctor",
        description="Say what this machine can and cannot enforce for sandboxes.",
        epilog="examples:\n  dcodex doctor\n  dcodex doctor --json\n"
        "  dcodex doctor --python_venv /srv/science",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON, one object a finding")
    add_flags(parser, WorkerSettings)
    arguments = parser.parse_args(argv)
    try:
        settings = load(WorkerSettings, arguments, os.environ)
    except ConfigError as error:
        parser.exit(2, f"dcodex doctor: {error}\n")
    findings = examine(settings)
    conclusions = ("this machine can run sandboxes", "this machine cannot run sandboxes")
    print(as_json(findings) if arguments.json else as_text(findings, conclusions))
    return 0 if is_fit(findings) else 1


def _machine(_: WorkerSettings) -> Finding:
    machine = os.uname().machine
    try:
        init.elf_image(machine)
    except KeyError:
        return Finding(
            "machine", False, True, f"{machine} is not supported", "use an x86_64 machine"
        )
    return Finding("machine", True, True, machine)


def _kernel(_: WorkerSettings) -> Finding:
    release = platform.release()
    numbers = tuple(int(part) for part in release.split("-")[0].split(".")[:2])
    return Finding(
        "kernel",
        numbers >= OLDEST_KERNEL,
        True,
        f"Linux {release}",
        f"a kernel of {OLDEST_KERNEL[0]}.{OLDEST_KERNEL[1]} or later is needed",
    )


def _rights(_: WorkerSettings) -> Finding:
    effective = _effective_capabilities()
    missing = [name for name, bit in _CAPABILITIES.items() if not effective >> bit & 1]
    return Finding(
        "rights",
        os.geteuid() == 0 and not missing,
        True,
        f"root without {', '.join(missing)}" if missing else f"user {os.geteuid()}",
        "run the worker as root with these capabilities (systemd: no User=; containers: "
        "--privileged or --cap-add)",
    )


def _cgroups(settings: WorkerSettings) -> Finding:
    name = f"dcodex-doctor-{os.getpid()}"
    try:
        tree = cgroup.create_tree(name, settings.cgroup_root)
    except cgroup.CgroupError as error:
        return Finding(
            "cgroup",
            False,
            True,
            str(error),
            "mount cgroup2, or v1 with memory, pids and cpuacct, and let this process make groups",
        )
    cgroup.remove_tree(tree)
    return Finding("cgroup", True, True, f"version {tree.version}")


def _user_namespaces(_: WorkerSettings) -> Finding:
    path = Path("/proc/sys/user/max_user_namespaces")
    most = int(path.read_text()) if path.exists() else 0
    return Finding(
        "user-namespaces",
        most > 0,
        True,
        f"at most {most}",
        "sysctl user.max_user_namespaces=65536; the kernel needs CONFIG_USER_NS",
    )


def _seccomp(_: WorkerSettings) -> Finding:
    actions = Path("/proc/sys/kernel/seccomp/actions_avail")
    words = actions.read_text().split() if actions.exists() else []
    size = len(seccomp.filter_program(True)) // seccomp.INSTRUCTION_BYTES
    return Finding(
        "seccomp",
        "kill_process" in words,
        True,
        f"filter of {size} instructions",
        "the kernel needs CONFIG_SECCOMP_FILTER",
    )


def _oom(_: WorkerSettings) -> Finding:
    return Finding(
        "oom-protection",
        bool(_effective_capabilities() >> _CAP_SYS_RESOURCE & 1),
        False,
        "CAP_SYS_RESOURCE keeps our own processes out of the kernel's choice of whom to kill",
        "grant CAP_SYS_RESOURCE; without it a program that runs out of memory can take its "
        "keeper with it, which costs that worker a restart of some milliseconds",
    )


def _python(settings: WorkerSettings) -> Finding:
    try:
        interpreter = python.find(settings)
    except SetupError as error:
        return Finding("python", False, True, str(error), "apt-get install python3")
    return Finding("python", True, True, f"{interpreter.version} at {interpreter.path}")


def _compilers(_: WorkerSettings) -> Finding:
    found = native.find()
    text = ", ".join(f"{c.language} {c.version}" for c in found.values()) or "none"
    return Finding("compilers", len(found) == 2, False, text, "apt-get install gcc g++")


def _linker(_: WorkerSettings) -> Finding:
    present = shutil.which("mold", path="/usr/bin") is not None
    return Finding(
        "linker",
        present,
        False,
        "mold" if present else "the default one",
        "apt-get install mold: C and C++ programs then start faster",
    )


def _trial(settings: WorkerSettings) -> Finding:
    """Arm a sandbox and run a program in it."""
    with tempfile.TemporaryDirectory(prefix="dcodex-doctor-") as directory:
        settings = replace(
            settings, runtime_dir=directory, compile_cache_bytes=0, languages=("python",), slots=1
        )
        try:
            armed_s, ran_s = _try_out(settings)
        except SetupError as error:
            return Finding(
                "trial", False, True, f"no sandbox: {error}", "see the step that it names"
            )
    return Finding(
        "trial", True, True, f"armed in {armed_s * 1e3:.1f} ms, ran in {ran_s * 1e3:.1f} ms"
    )


def _try_out(settings: WorkerSettings) -> tuple[float, float]:
    slots = Slots(settings)
    try:
        templates = Templates(settings)
        try:
            templates.start()
            workshop = Workshop(settings, slots.take())
            try:
                # The first keeper has to be forked and attached; the second sandbox is typical.
                workshop.arm("python").destroy()
                start = time.monotonic()
                armed = workshop.arm("python")
                armed_s = time.monotonic() - start
                start = time.monotonic()
                end = run_to_end(armed.begin(_hello()))
                ran_s = time.monotonic() - start
                armed.destroy()
            finally:
                workshop.close()
        finally:
            templates.close()
    finally:
        slots.close()
    if end.stdout != b"hello\n" or end.status != 0:
        raise SetupError("trial", 0, f"a program printed {end.stdout!r} and {end.stderr!r}")
    return armed_s, ran_s


def _hello() -> Program:
    source = SourceFile("main.py", 0o644, b"print('hello')\n")
    return Program("python", (source,), "main.py", (), (), (), b"", True, DEFAULT_LIMITS)


def _effective_capabilities() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


_CHECKS: tuple[Callable[[WorkerSettings], Finding], ...] = (
    _machine,
    _kernel,
    _rights,
    _user_namespaces,
    _cgroups,
    _seccomp,
    _oom,
    _python,
    _compilers,
    _linker,
)

if __name__ == "__main__":
    sys.exit(main())
