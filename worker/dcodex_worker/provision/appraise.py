"""Has a template's modules loaded where programs will be, and reads what that took.

Where this process may, the interpreter runs in the root that programs see, as a user like theirs:
what is not shown there, or may not be read, is missing as it will be for them. Where it may not,
the interpreter runs as it is.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile

from dcodex_worker.provision.judge import Loaded, Template
from dcodex_worker.sandbox import kernel, rootfs
from dcodex_worker.template import appraisal
from dcodex_worker.template.launcher import ENVIRONMENT
from dcodex_worker.template.starter import START_TIMEOUT_S, TemplatePlan

#: A user who owns nothing, as a program's is.
_NOBODY = 65534
#: This process was refused the root that programs see.
_EXIT_REFUSED = 113
#: The most of an error's words that is shown, in characters.
_MAX_WORDS = 200


def appraise(plan: TemplatePlan) -> Template:
    """What this template would be; blocks for as long as a template may take to start."""
    with tempfile.TemporaryDirectory(prefix="dcodex-runtime-") as staging:
        status, output, words = _run(plan, staging)
    outside = ""
    if status == _EXIT_REFUSED:
        outside = words
        status, output, words = _run(plan, "")
    loaded = []
    memory_bytes = 0
    for line in output.splitlines():
        told, memory_bytes = json.loads(line)
        loaded.append(Loaded(**told))
    failure = ""
    if status != 0 or len(loaded) < len(plan.preload):
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        failure = f"its interpreter ends with {how}: {words}"
        if loaded and len(loaded) < len(plan.preload):
            # The one that was begun after the last that is told of.
            complaint = f"its import ends the interpreter with {how}: {words}"
            loaded.append(Loaded(plan.preload[len(loaded)], "", 0.0, 0, 0, complaint))
    return Template(plan.name, tuple(loaded), memory_bytes, failure, outside)


def _run(plan: TemplatePlan, staging: str) -> tuple[int, bytes, str]:
    """Its status, what it answered, and the last of its words."""
    specification = {
        "interpreter": plan.interpreter,
        "names": plan.preload,
        "extra": plan.extra,
        "staging": staging,
    }
    command = [sys.executable, "-P", "-m", __name__, json.dumps(specification)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=START_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as expired:
        return -signal.SIGKILL, expired.output or b"", f"it takes over {START_TIMEOUT_S:g} s"
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return done.returncode, done.stdout, lines[-1][:_MAX_WORDS] if lines else "no reason given"


def main() -> None:
    """Never returns: becomes the interpreter; in the root of programs, where staging is named."""
    specification = json.loads(sys.argv[1])
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    os.umask(0o022)
    descriptors = {
        "tasks": os.open("/proc/self/task", os.O_RDONLY | os.O_DIRECTORY),
        "statm": os.open("/proc/self/statm", os.O_RDONLY),
    }
    template = os.path.dirname(os.path.abspath(appraisal.__file__))
    library = os.path.dirname(os.path.dirname(template))
    if specification["staging"]:
        _enter(specification["staging"], tuple(specification["extra"]), library)
        library = rootfs.LIBRARY
    for fd in descriptors.values():
        os.set_inheritable(fd, True)
    argument = json.dumps({"library": library, "names": specification["names"], **descriptors})
    interpreter = specification["interpreter"]
    script = f"{library}/dcodex_worker/template/appraisal.py"
    environment = {**ENVIRONMENT, "OPENBLAS_NUM_THREADS": "1"}
    os.execve(interpreter, [interpreter, "-I", "-B", script, argument], environment)


def _enter(staging: str, extra: tuple[str, ...], library: str) -> None:
    """The root as a keeper sees it, and a user who owns nothing there."""
    names = ("dcodex_worker/__init__.py", "dcodex_worker/template")
    try:
        rootfs.enter(
            staging,
            tuple((path, path) for path in extra),
            {name: f"{library}/{name}" for name in names},
        )
        rootfs.enter_front(extra, lenient=True)
        rootfs.enter_private()
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(_EXIT_REFUSED)


if __name__ == "__main__":
    main()
