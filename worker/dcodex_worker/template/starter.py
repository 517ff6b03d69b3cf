"""Starts and watches one template from the host: its socket, its process, its renewal."""

from __future__ import annotations

import json
import logging
import os
import select
import socket
import subprocess
import sys
from dataclasses import dataclass

log = logging.getLogger(__name__)

#: Importing everything takes a second or two on a slow machine; this long, in seconds, is broken.
START_TIMEOUT_S = 60.0
#: Keepers that may wait to be forked: more than a host has workers.
_BACKLOG = 256
#: The most of a template's own words that is logged, in bytes.
_MAX_WORDS = 4096


@dataclass(frozen=True, slots=True)
class TemplatePlan:
    """What a template is."""

    #: For logs and for the socket's name.
    name: str
    interpreter: str
    #: Modules to import.
    preload: tuple[str, ...]
    #: Directories of the host to show read-only beside /usr.
    extra: tuple[str, ...]
    #: More of them, each as (directory of the host, where it is shown).
    shown: tuple[tuple[str, str], ...] = ()


class TemplateError(Exception):
    """A template did not start; the message says why."""


class Template:
    """One template process behind a socket that stays when the process is replaced."""

    def __init__(self, plan: TemplatePlan, directory: str, lenient: tuple[str, ...] = ()) -> None:
        """directory: a private directory for the socket and the mount point.

        lenient: the guarantees that may lack.
        """
        self.plan = plan
        self._lenient = lenient
        self.path = os.path.join(directory, f"{plan.name}.sock")
        self._staging = os.path.join(directory, f"{plan.name}.root")
        os.makedirs(self._staging, mode=0o700, exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(self.path)
        self._listener.listen(_BACKLOG)
        self._process: subprocess.Popen[bytes] | None = None
        #: Our end of the pipe that a template lives by.
        self._alive = -1
        self.started_at = 0.0

    def start(self, now: float) -> None:
        """Start it, or replace the running one; blocks until it serves, or raises TemplateError."""
        alive_read, alive_write = os.pipe()
        ready_read, ready_write = os.pipe()
        specification = {
            "interpreter": self.plan.interpreter,
            "preload": list(self.plan.preload),
            "extra": list(self.plan.extra),
            "shown": list(self.plan.shown),
            "lenient": list(self._lenient),
            "staging": self._staging,
            "host_pid": os.getpid(),
            "listener": self._listener.fileno(),
            "alive": alive_read,
            "ready": ready_write,
        }
        process = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "dcodex_worker.template.launcher",
                json.dumps(specification),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(self._listener.fileno(), alive_read, ready_write),
        )
        os.close(alive_read)
        os.close(ready_write)
        assert process.stderr is not None
        os.set_blocking(process.stderr.fileno(), False)
        poll = select.poll()
        poll.register(ready_read, select.POLLIN)
        poll.poll(START_TIMEOUT_S * 1000)
        try:
            serving = bool(os.read(ready_read, 1)) if poll.poll(0) else False
        finally:
            os.close(ready_read)
        if not serving:
            os.close(alive_write)
            process.kill()
            process.wait()
            words = process.stderr.read() or b""
            process.stderr.close()
            raise TemplateError(
                f"template {self.plan.name} did not start: "
                f"{words[-_MAX_WORDS:].decode(errors='replace').strip() or 'no reason given'}"
            )
        # From here on the new one accepts too; the old one goes when its pipe ends.
        self._stop_process()
        self._process, self._alive, self.started_at = process, alive_write, now

    def is_alive(self) -> bool:
        """Whether its process runs; logs what it has said meanwhile."""
        if self._process is None:
            return False
        self._log_words()
        return self._process.poll() is None

    def close(self) -> None:
        """End it and remove its socket."""
        self._stop_process()
        self._listener.close()
        os.unlink(self.path)
        os.rmdir(self._staging)

    def _stop_process(self) -> None:
        if self._process is None:
            return
        os.close(self._alive)
        self._process.wait()
        self._log_words()
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._process = None

    def _log_words(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        words = self._process.stderr.read() or b""
        for line in words[-_MAX_WORDS:].decode(errors="replace").splitlines():
            log.warning("a template says template=%s words=%r", self.plan.name, line)
