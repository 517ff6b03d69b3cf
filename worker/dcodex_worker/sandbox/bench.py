"""Tools that a sandbox starts while it is armed, before the program that they work on is known.

Theory of operation
-------------------
Runs in the program's process, which has given up everything, and so do the tools it starts: a
compiler, the assembler that reads from it, and a linker. A preloaded library holds compiler and
linker in the open() of the first file that is the program's (runtimes/compiler/hold.c); each has
a socket to say that it is held and to be told to go on. Nothing of a bench outlives its sandbox.

Whatever is unusual (a tool that is not where it should be, a failure, words that a compile by
hand would not say) is for the command that the worker gave for that case: finish() then returns,
with all tools gone.
"""

from __future__ import annotations

import os
import re
import signal
import socket
from typing import Any

#: Of each held tool, as hold.c has it.
_GATE = 3
#: Words beyond this, in bytes, are for the command.
_MOST_WORDS = 1 << 16


class Bench:
    """The tools of one compile."""

    def __init__(self, plan: dict[str, Any], environment: dict[str, str]) -> None:
        """Start all. The plan's members, from runtimes/tools.py:

        library: path of hold.so; compiler, assembler, linker: command lines; source, object: the
        files that compiler and linker are held at; words: a file for what the tools say;
        different: a pattern of words that finish() shall not let through. Raises OSError.
        """
        self._different = re.compile(plan["different"])
        self._library = plan["library"]
        self._environment = environment
        self._pids: list[int] = []
        self._words = os.open(
            plan["words"], os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
        )
        nothing = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        reader, writer = os.pipe()
        try:
            self._compiler = self._start(plan["compiler"], nothing, writer, plan["source"])
            self._start(plan["assembler"], reader, nothing, "")
            self._linker = self._start(plan["linker"], nothing, nothing, plan["object"])
        except OSError:
            self.clear()
            raise
        finally:
            for fd in (nothing, reader, writer):
                os.close(fd)

    def finish(self) -> None:
        """Compile what is there now and exit; returns where the command must do it."""
        if self._go_on(self._compiler):
            compiled, assembled = self._end(), self._end()
            words = self._said()
            if compiled == 0 and assembled == 0 and words is not None:
                if self._go_on(self._linker) and self._end() == 0:
                    words = self._said()
                    if words is not None:
                        _exit(0, words)
            elif compiled == 1 and words:
                # An error in the program, in words that are the same by hand.
                self.clear()
                _exit(1, words)
        self.clear()

    def clear(self) -> None:
        """End what runs."""
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)
        while self._pids:
            self._end()

    def _start(self, argv: list[str], stdin: int, stdout: int, held: str) -> socket.socket:
        ours, theirs = socket.socketpair()
        actions = [
            (os.POSIX_SPAWN_DUP2, stdin, 0),
            (os.POSIX_SPAWN_DUP2, stdout, 1),
            (os.POSIX_SPAWN_DUP2, self._words, 2),
        ]
        environment = self._environment
        if held:
            actions.append((os.POSIX_SPAWN_DUP2, theirs.fileno(), _GATE))
            environment = {**environment, "LD_PRELOAD": self._library, "DCODEX_HOLD": held}
        with theirs:
            # The interpreter ignores these two; what it starts should not.
            self._pids.append(
                os.posix_spawn(
                    argv[0],
                    argv,
                    environment,
                    file_actions=actions,
                    setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
                )
            )
        return ours

    def _go_on(self, gate: socket.socket) -> bool:
        """Let a tool go on that is held, once it is; False for one that was never held."""
        try:
            if not gate.recv(1):
                return False
            gate.send(b"g", socket.MSG_NOSIGNAL)
        except OSError:
            return False
        return True

    def _end(self) -> int:
        """The exit code of the first tool that is left, as waitstatus_to_exitcode() has it."""
        _, status = os.waitpid(self._pids.pop(0), 0)
        return os.waitstatus_to_exitcode(status)

    def _said(self) -> bytes | None:
        """The tools' words so far; None where a compile by hand might have others."""
        words = os.pread(self._words, _MOST_WORDS + 1, 0)
        if len(words) > _MOST_WORDS or self._different.search(words):
            return None
        return words


def _exit(status: int, words: bytes) -> None:
    view = memoryview(words)
    while view:
        view = view[os.write(2, view) :]
    os._exit(status)
