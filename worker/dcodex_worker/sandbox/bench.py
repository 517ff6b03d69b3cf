"""Tools that a sandbox starts while it is armed, before the program that they work on is known.

Theory of operation
-------------------
Runs in the program's process, which has given up everything, and so do the tools it starts: a
compiler, the assembler that reads from it, and a linker. A preloaded library holds compiler and
linker where they need the first thing that is the program's (runtimes/compiler/hold.c). Each tool
has a socket to say that it is held, to be told to go on, and to say what it will exit with, so
that nobody waits for its death. Nothing of a bench outlives its sandbox.

A compiler may have read headers that the program is foreseen to begin with; for one that does
not, another compiler is started.

Whatever is unusual (a tool that is not where it should be, a failure, words that a compile by
hand would not say) is for the command that the worker gave for that case: finish() then returns,
with all tools gone.
"""

from __future__ import annotations

import os
import re
import select
import signal
import socket
from dataclasses import dataclass
from typing import Any

#: Of each tool, as hold.c has it.
_GATE = 3
#: What a tool says when it is held, as hold.c has it.
_HELD = b"h"
#: In a compiler's words about where a text ends.
_ENDING = b" at end of "
#: Words beyond this, in bytes, are for the command.
_MOST_WORDS = 1 << 16


@dataclass(slots=True)
class _Tool:
    pid: int
    gate: socket.socket
    #: It has said so.
    held: bool = False


class Bench:
    """The tools of one compile."""

    def __init__(self, plan: dict[str, Any], environment: dict[str, str]) -> None:
        """Start all. The plan's members, from runtimes/tools.py:

        library: path of hold.so; compiler, assembler, linker: command lines; source, object: the
        files that compiler and linker are held at; ahead: how the source is foreseen to begin,
        or ""; words: a file for what the tools say; different: a pattern of words that finish()
        shall not let through. Raises OSError.
        """
        self._different = re.compile(plan["different"])
        self._library = plan["library"]
        self._environment = environment
        self._command = plan["compiler"]
        self._source = plan["source"]
        #: Those that may live.
        self._tools: list[_Tool] = []
        self._words = os.open(
            plan["words"], os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
        )
        self._nothing = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        reader, self._writer = os.pipe()
        try:
            self._compiler = self._start(
                self._command, self._nothing, self._writer, self._source, plan["ahead"]
            )
            self._assembler = self._start(plan["assembler"], reader, self._nothing)
            self._linker = self._start(plan["linker"], self._nothing, self._nothing, plan["object"])
        except OSError:
            self.clear()
            raise
        finally:
            os.close(reader)

    def settle(self, channel: int) -> None:
        """Return when the tools are held, or one failed to be, or something comes there.

        channel: the descriptor of its process's channel.
        """
        poll = select.poll()
        poll.register(channel, select.POLLIN)
        starting = {tool.gate.fileno(): tool for tool in (self._compiler, self._linker)}
        for gate in starting:
            poll.register(gate, select.POLLIN)
        while starting:
            ready = [fd for fd, _ in poll.poll()]
            if channel in ready:
                return
            for gate in ready:
                poll.unregister(gate)
                tool = starting.pop(gate)
                tool.held = tool.gate.recv(1) == _HELD
                if not tool.held:
                    return

    def finish(self, foreseen: bool) -> None:
        """Compile what is there now and exit; returns where the command must do it.

        foreseen: whether the source begins as the plan has it.
        """
        if not foreseen:
            self._kill(self._compiler)
            self._compiler = self._start(self._command, self._nothing, self._writer)
        # The assembler's input ends with the compiler.
        os.close(self._writer)
        self._writer = -1
        if not foreseen or self._go_on(self._compiler):
            compiled, assembled = self._end(self._compiler), self._end(self._assembler)
            words = self._said()
            if compiled == 0 and assembled == 0 and words is not None:
                if self._go_on(self._linker) and self._end(self._linker) == 0:
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
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1
        for tool in list(self._tools):
            self._kill(tool)

    def _start(
        self, argv: list[str], stdin: int, stdout: int, held: str = "", ahead: str = ""
    ) -> _Tool:
        ours, theirs = socket.socketpair()
        with theirs:
            # The interpreter ignores these two; what it starts should not.
            pid = os.posix_spawn(
                argv[0],
                argv,
                {
                    **self._environment,
                    "LD_PRELOAD": self._library,
                    "DCODEX_HOLD": held,
                    "DCODEX_AHEAD": ahead,
                },
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, stdin, 0),
                    (os.POSIX_SPAWN_DUP2, stdout, 1),
                    (os.POSIX_SPAWN_DUP2, self._words, 2),
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), _GATE),
                ],
                setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
            )
        tool = _Tool(pid, ours)
        self._tools.append(tool)
        return tool

    def _go_on(self, tool: _Tool) -> bool:
        """Let a tool go on that is held, once it is; False for one that was never held."""
        try:
            if not tool.held and tool.gate.recv(1) != _HELD:
                return False
            tool.gate.send(b"g", socket.MSG_NOSIGNAL)
        except OSError:
            return False
        return True

    def _end(self, tool: _Tool) -> int:
        """A tool's exit code, as soon as it says it; as waitstatus_to_exitcode() has it."""
        try:
            said = tool.gate.recv(1)
        except OSError:
            said = b""
        if said:
            return said[0]
        self._tools.remove(tool)
        _, status = os.waitpid(tool.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def _kill(self, tool: _Tool) -> None:
        self._tools.remove(tool)
        os.kill(tool.pid, signal.SIGKILL)
        os.waitpid(tool.pid, 0)

    def _said(self) -> bytes | None:
        """The tools' words so far; None where a compile by hand might have others."""
        words = os.pread(self._words, _MOST_WORDS + 1, 0)
        if len(words) > _MOST_WORDS or self._different.search(words):
            return None
        return None if words and self._beyond(words) else words

    def _beyond(self, words: bytes) -> bool:
        """Whether they tell of the source's end, or lines behind it: hold.c adds some there."""
        if _ENDING in words:
            return True
        with open(self._source, "rb") as file:
            lines = 1 + sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 16), b""))
        places = re.finditer(rb"%b:(\d+)" % re.escape(os.fsencode(self._source)), words)
        return any(int(place[1]) > lines for place in places)


def _exit(status: int, words: bytes) -> None:
    view = memoryview(words)
    while view:
        view = view[os.write(2, view) :]
    os._exit(status)
