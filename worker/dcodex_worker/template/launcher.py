"""Starts a template: builds its root, enters it, and becomes the interpreter.

Run as a process of its own, `python -P -m dcodex_worker.template.launcher SPECIFICATION`, so
that nothing of the host's process is in it. SPECIFICATION is JSON; see main().
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import signal
import sys

from dcodex_worker.sandbox import handover, kernel, mounts, rootfs
from dcodex_worker.template import serve

_PR_SET_CHILD_SUBREAPER = 36

#: What every program's environment holds, unless its request says otherwise.
ENVIRONMENT = {
    "HOME": mounts.WORK_DIRECTORY,
    "LANG": "C.UTF-8",
    "LOGNAME": "dcodex",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PWD": mounts.WORK_DIRECTORY,
    "USER": "dcodex",
}


def main() -> None:
    """Never returns. The specification's members:

    interpreter: path; preload: names of modules; extra and shown: directories to show
    (starter.py); lenient: names of guarantees that may lack; staging: where to build the root;
    host_pid: who to die with; and inherited descriptors: listener (a listening SOCK_SEQPACKET
    socket), alive (a pipe that ends when the template shall), ready (a pipe that is written to
    when it serves).
    """
    specification = json.loads(sys.argv[1])
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    # What a killed keeper leaves comes to the template, of which the kernel reaps all children;
    # a sandbox's init does not end before, and not every machine's or container's init reaps.
    kernel.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    if os.getppid() != specification["host_pid"]:
        sys.exit(0)
    # Keepers share their programs' cgroup: the kernel shall kill there among the programs. Root
    # without CAP_SYS_RESOURCE may not ask for this; the program's own score then has to do.
    with contextlib.suppress(PermissionError):
        pathlib.Path("/proc/self/oom_score_adj").write_text("-1000")
    os.umask(0o022)
    specification["tasks"] = os.open("/proc/self/task", os.O_RDONLY | os.O_DIRECTORY)
    specification["maskable"] = [
        name for name in mounts.maskable() if os.path.exists(f"/proc/{name}")
    ]
    namespaces = os.open("/proc/self/ns", os.O_RDONLY | os.O_DIRECTORY)
    specification["pid_namespace"] = os.open("pid", os.O_RDONLY, dir_fd=namespaces)
    here = os.path.dirname(os.path.abspath(serve.__file__))
    worker = os.path.dirname(here)
    rootfs.enter(
        # No name of the host's is to be in the memory that programs are forks of.
        specification.pop("staging"),
        tuple((path, path) for path in specification["extra"])
        + tuple((source, target) for source, target in specification["shown"]),
        {
            "sitecustomize.py": f"{here}/hook/sitecustomize.py",
            "dcodex_worker/__init__.py": f"{worker}/__init__.py",
            "dcodex_worker/sandbox": f"{worker}/sandbox",
            "dcodex_worker/template": here,
        },
    )
    os.close(namespaces)
    for name in ("listener", "alive", "ready", "tasks", "pid_namespace"):
        specification[name] = _inheritable(specification[name])
    reader, writer = os.pipe()
    os.write(writer, json.dumps(specification).encode())
    os.close(writer)
    os.dup2(reader, serve.SPECIFICATION_FD)
    # Pipes, as a program's will be: what the interpreter finds out about its standard streams
    # at its start holds for every fork. Standard error is a pipe to the host already.
    os.dup2(os.pipe()[0], 0)
    os.dup2(os.pipe()[1], 1)
    environment = {**ENVIRONMENT, "PYTHONPATH": rootfs.LIBRARY, "OPENBLAS_NUM_THREADS": "1"}
    interpreter = specification["interpreter"]
    os.execve(interpreter, [interpreter, "-u", handover.MAIN], environment)


def _inheritable(fd: int) -> int:
    """The same descriptor, inheritable, above those that have a fixed number."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD, serve.SPECIFICATION_FD + 1)
    os.set_inheritable(moved, True)
    return moved


if __name__ == "__main__":
    main()
