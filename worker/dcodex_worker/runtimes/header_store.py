"""The precompiled headers of one host, on disk: where they are, and making those that lack.

Run as a process of its own by Making, it makes all that headers.py wants, one at a time, on
processor time that nobody else asks for. Each is written aside and renamed, so that what is
there is whole. A directory is named after the compiler that made it and the headers it read,
because the compiler does not look whether they have changed. Only the host's user can write
there; sandboxes see it read-only.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from dcodex_shared.logs import configure
from dcodex_worker.runtimes import hold
from dcodex_worker.runtimes.headers import WANTED, OptionSet, Precompiled
from dcodex_worker.sandbox import kernel

log = logging.getLogger(__name__)

#: Where sandboxes see a store.
SHOWN = "/.dcodex/headers"
#: All stores of a host together, in bytes: what GCC 12 makes of all that is wanted fits.
BOUND_BYTES = 1 << 30
#: Making one header, in seconds; the largest takes five of a machine's own.
MAKE_TIMEOUT_S = 300.0
#: What was killed may take this long to be gone, in seconds, on a machine that has no time for it.
END_TIMEOUT_S = 10.0
#: Asking the compiler where its parts are, in seconds.
_ASK_TIMEOUT_S = 20.0
_SUFFIX = ".gch"
_CHECKSUM_SUFFIX = ".sha256"
#: Below the compiler's search directories: where the headers lie that others consist of. A
#: package that is upgraded renames files into them, which shows in their time.
_WITHIN = (
    "",
    "asm",
    "asm-generic",
    "backward",
    "bits",
    "debug",
    "ext",
    "gnu",
    "linux",
    "pstl",
    "sys",
)
#: Directories that a host has and a sandbox has not.
_UNSHOWN = "/usr/local/"


class HeaderStore:
    """What one compiler's precompiled headers are, and whether they are there."""

    def __init__(self, directory: str, compiler: str) -> None:
        """directory: of all stores; compiler: an absolute path. Asks the compiler."""
        self.directory = directory
        self._name = _identity(compiler)
        #: This compiler's.
        self.own = os.path.join(directory, self._name)

    def path(self, wanted: Precompiled) -> str:
        """Where it is on the host, if it is."""
        return os.path.join(self._set(wanted.options), wanted.header + _SUFFIX)

    def search_option(self, candidates: tuple[Precompiled, ...]) -> tuple[str, ...]:
        """The compiler's options with which it finds those of the candidates that are there."""
        for wanted in candidates:
            if os.path.exists(self.path(wanted)):
                folder = os.path.basename(self._set(wanted.options))
                return ("-isystem", f"{SHOWN}/{self._name}/{folder}")
        return ()

    def _set(self, options: OptionSet) -> str:
        return os.path.join(self.own, "_".join(options) or "plain")


class Making:
    """The process that fills a host's store; ends with the host at the latest."""

    def __init__(
        self, directory: str, compilers: dict[str, str], log_level: str, log_format: str
    ) -> None:
        """directory: of all stores; made here, so that it can be shown at once. Raises OSError.

        compilers: their paths, by language.
        """
        os.makedirs(os.path.dirname(directory), mode=0o700, exist_ok=True)
        os.makedirs(directory, mode=0o755, exist_ok=True)
        found = os.stat(directory)
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise PermissionError(f"{directory} can be written by others")
        os.chmod(directory, 0o755)
        self.directory = directory
        words = json.dumps(compilers)
        self._arguments = (directory, words, str(os.getpid()), log_level, log_format)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin; what goes wrong is logged, and compiles then read the headers themselves."""
        module = "dcodex_worker.runtimes.make_headers"
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, *self._arguments],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            log.warning("cannot make precompiled headers error=%s", error)

    def close(self) -> None:
        """End it where it still runs, with what it has started; the next one cleans up."""
        if self._process is not None and self._process.poll() is None:
            # Killed, since on a busy machine it might not come to handle anything for long.
            members = _members(self._process.pid)
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            # A compiler that only ran when nobody else did also dies only then.
            poll = select.poll()
            for member in members:
                poll.register(member, select.POLLIN)
            deadline = time.monotonic() + END_TIMEOUT_S
            while members and time.monotonic() < deadline:
                for member, _ in poll.poll(END_TIMEOUT_S * 1000):
                    poll.unregister(member)
                    members.remove(member)
                    os.close(member)
            for member in members:
                os.close(member)


def _members(group: int) -> list[int]:
    """Descriptors of the processes of a group."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if os.getpgid(int(name)) == group:
                found.append(os.pidfd_open(int(name)))
    return found


def main(arguments: list[str]) -> int:
    """Fill the store; returns the exit status."""
    directory, words, host, level, form = arguments
    compilers: dict[str, str] = json.loads(words)
    configure("header-store", level, form)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGTERM, _end_all)
    if os.getppid() != int(host):
        return 0
    os.umask(0o022)
    # Soon made, and of use to every compile.
    try:
        hold.make(directory, next(iter(compilers.values())))
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("tools will not be started ahead error=%s", error)
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    try:
        _fill_alone(directory, compilers)
    except (OSError, subprocess.SubprocessError) as error:
        # A disk that is full, say: compiles read headers themselves until the next start.
        log.warning("no precompiled headers directory=%s error=%s", directory, error)
        return 1
    log.info("precompiled headers are ready directory=%s bytes=%d", directory, _size(directory))
    return 0


def _fill_alone(directory: str, compilers: dict[str, str]) -> None:
    lock = os.open(os.path.join(directory, ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    # Hosts of one machine may share a store: one makes it, the others then find all done.
    fcntl.flock(lock, fcntl.LOCK_EX)
    _sweep(directory)
    if "cpp" in compilers:
        _fill(directory, compilers["cpp"])


def _fill(directory: str, compiler: str) -> None:
    store = HeaderStore(directory, compiler)
    for wanted in WANTED:
        path = store.path(wanted)
        if _is_whole(path):
            continue
        try:
            make(compiler, wanted, store)
        except (OSError, subprocess.SubprocessError) as error:
            log.warning(
                "could not precompile header=%s options=%s error=%s",
                wanted.header,
                ",".join(wanted.options),
                error,
            )


def _end_all(number: int, _frame: object) -> None:
    """The compiler is of our process group; nothing of it may outlive us."""
    signal.signal(number, signal.SIG_DFL)
    os.killpg(0, number)


def _identity(compiler: str) -> str:
    """A name that changes when the compiler does, or what its headers may consist of."""
    digest = hashlib.sha256()

    def ask(*options: str) -> str:
        done = subprocess.run(
            [compiler, *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ASK_TIMEOUT_S,
            check=False,
            text=True,
        )
        return done.stdout + done.stderr

    words = ask("-E", "-x", "c++", "-v", "-").splitlines()
    places = [line.strip() for line in words if line.startswith(" /")]
    part = ask("-print-prog-name=cc1plus").strip()
    digest.update(repr([os.path.realpath(compiler), [w for w in words if "version" in w]]).encode())
    for path in (part, *(os.path.join(place, name) for place in places for name in _WITHIN)):
        with contextlib.suppress(OSError):
            found = os.stat(path)
            digest.update(repr((path, found.st_size, found.st_mtime_ns)).encode())
    return digest.hexdigest()[:32]


def make(compiler: str, wanted: Precompiled, store: HeaderStore) -> None:
    """Have one precompiled header. Raises OSError, subprocess.SubprocessError."""
    path = store.path(wanted)
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o755, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as scratch:
        source = os.path.join(scratch, "prefix.h")
        product = os.path.join(scratch, "product.gch")
        listing = os.path.join(scratch, "read")
        with open(source, "w") as file:
            # As a file that includes it, so that it is read as the system's header that it is.
            file.write(f"#include <{wanted.header}>\n")
        subprocess.run(
            [
                *(compiler, *wanted.options, "-x", "c++-header", source, "-o", product),
                *("-MD", "-MF", listing),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=MAKE_TIMEOUT_S,
            check=True,
            # What it leaves when it is killed is then swept with the rest.
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": scratch},
        )
        with open(listing) as file:
            if _UNSHOWN in file.read():
                raise OSError(f"it reads what is below {_UNSHOWN}")
        if not _make_room(store.directory, store.own):
            raise OSError("no room is left")
        # What the compiler reads in its place where it does not take it, as for a second
        # #include of the same header: the search goes on.
        with open(path.removesuffix(_SUFFIX), "w") as file:
            file.write(f"#include_next <{wanted.header}>\n")
        with open(path + _CHECKSUM_SUFFIX, "w") as file:
            file.write(_checksum(product))
        os.rename(product, path)


def _is_whole(path: str) -> bool:
    """Whether a header is there as it was written; one that is not is removed."""
    try:
        with open(path + _CHECKSUM_SUFFIX) as file:
            expected = file.read()
        if _checksum(path) == expected:
            return True
    except OSError:
        return False
    log.error("a precompiled header is damaged path=%s", path)
    os.unlink(path)
    return False


def _checksum(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(directory: str) -> int:
    return sum(
        os.lstat(os.path.join(folder, name)).st_size
        for folder, _, names in os.walk(directory)
        for name in names
    )


def _make_room(directory: str, own: str) -> bool:
    """Whether all that is there may stay; other compilers' headers make way, oldest first."""
    others = [entry for entry in os.scandir(directory) if entry.is_dir() and entry.path != own]
    others.sort(key=lambda entry: entry.stat().st_mtime)
    while _size(directory) > BOUND_BYTES:
        if not others:
            return False
        shutil.rmtree(others.pop(0).path)
    return True


def _sweep(directory: str) -> None:
    """Remove what a run that was killed has left half done."""
    for folder, names, _ in os.walk(directory):
        for name in [name for name in names if name.startswith(".new-")]:
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
