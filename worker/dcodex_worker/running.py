"""One execution in its sandbox: moves bytes and kills as execution.py decides.

Theory of operation
-------------------
The worker loop polls what interest() names and calls turn() after every wait. A stage is over
when its first process has ended: what the pipes hold was written before and is read to the
end, and everything else in the sandbox is killed if it still holds a pipe. Nothing waits here:
all descriptors are non-blocking and every loop has a bound.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable

from dcodex_shared.limits import MAX_OUTPUT_BYTES
from dcodex_shared.messages import Finished, Message, Stream, Verdict
from dcodex_worker.execution import Execution
from dcodex_worker.runtimes.stage import Armed, CompileLost, Stage
from dcodex_worker.verdict import NEVER_RAN, Outcome, system_error

#: Reads of one pipe in one turn: the link and the timers get their turn between.
READS_PER_TURN = 4
#: Reads of one pipe at a stage's end: the largest pipe that may be had without privilege is
#: 1 MiB; what lingers may write on while we read.
READS_AT_END = 1024 * 1024 // MAX_OUTPUT_BYTES + 1


def failure(execution_id: str, message: str) -> Finished:
    """The last message of an execution that failed through us; the log has the details."""
    outcome = system_error(message)
    return Finished(
        execution_id=execution_id,
        verdict=int(outcome.verdict),
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        message=outcome.message,
        cpu_user_s=0.0,
        cpu_system_s=0.0,
        wall_s=0.0,
        peak_memory_bytes=0,
        compile_s=0.0,
        output_truncated=False,
        compile_cache_hit=False,
    )


Send = Callable[[Message, bytes, float], None]


class Run:
    """The execution that a worker is BUSY with."""

    def __init__(self, armed: Armed, execution: Execution, send: Send) -> None:
        self._armed = armed
        self.execution = execution
        self._send = send
        #: The stage that runs; set by begin().
        self._stage: Stage
        #: The pipes that have not ended, and what they carry.
        self._outputs: dict[int, Stream] = {}
        self._stdin_open = False
        self._killed = False

    def begin(self) -> None:
        """Hand the program over; raises SetupError."""
        self._start(self._armed.begin(self.execution.program))

    def interest(self, now: float) -> dict[int, int]:
        """The descriptors to wait on."""
        sandbox = self._stage.sandbox
        wanted = {sandbox.status: select.POLLIN}
        if sandbox.listener >= 0:
            wanted[sandbox.listener] = select.POLLIN
        if self.execution.watches_output(now):
            for fd in self._outputs:
                wanted[fd] = select.POLLIN
        if self._stdin_open and self.execution.next_stdin():
            wanted[sandbox.stdin] = select.POLLOUT
        return wanted

    def turn(self, events: dict[int, int], now: float) -> tuple[Finished, bytes] | None:
        """Do what is due; the last message when the execution is over."""
        execution, sandbox = self.execution, self._stage.sandbox
        if sandbox.status in events:
            return self._end_stage(sandbox.exit_status(), now)
        if sandbox.listener in events:
            sandbox.answer(events[sandbox.listener])
        if self._stdin_open:
            self._feed(now)
        for fd in [fd for fd in self._outputs if fd in events]:
            self._read(fd, READS_PER_TURN, now)
        for output, data in execution.sendable():
            self._send(output, data, now)
        if execution.wants_cpu(now):
            execution.used_cpu(sum(sandbox.cpu_s()), sandbox.oom_killed(), now)
        execution.expire(now)
        if execution.cause is not None and not self._killed:
            self._killed = True
            sandbox.kill()
            execution.killed(now)
        return self._end_stage(None, now) if execution.given_up(now) else None

    def signal(self, number: int) -> None:
        """Deliver a signal to the program; a compiler gets none."""
        if 1 <= number <= 31 and not self.execution.compiling and not self._killed:
            self._stage.sandbox.signal(number)

    def _start(self, stage: Stage) -> None:
        sandbox = stage.sandbox
        self._stage = stage
        now = sandbox.launch(stage.launch)
        self._outputs = {sandbox.stdout: Stream.STDOUT, sandbox.stderr: Stream.STDERR}
        self._stdin_open = True
        self.execution.begin_stage(stage.launch.limits, stage.compiling, now)
        if stage.compiling:
            self._close_stdin()
        else:
            self._feed(now)

    def _feed(self, now: float) -> None:
        execution, sandbox = self.execution, self._stage.sandbox
        while data := execution.next_stdin():
            try:
                count = os.write(sandbox.stdin, data)
            except BlockingIOError:
                return
            except BrokenPipeError:
                credit = execution.break_stdin()
            else:
                credit = execution.took_stdin(count)
            if credit is not None:
                self._send(credit, b"", now)
        if execution.stdin_exhausted():
            self._close_stdin()

    def _close_stdin(self) -> None:
        self._stdin_open = False
        self._stage.sandbox.close_stdin()

    def _read(self, fd: int, most: int, now: float) -> None:
        """Read one pipe until it is empty, has ended, or may not be read further."""
        execution = self.execution
        for _ in range(most):
            if not execution.wants_output():
                return
            size = execution.read_bytes()
            if not self._take(fd, size, now):
                return
            for output, data in execution.sendable():
                self._send(output, data, now)

    def _take(self, fd: int, size: int, now: float) -> bool:
        """Whether there may be more to read."""
        try:
            data = os.read(fd, size)
        except BlockingIOError:
            return False
        if not data:
            del self._outputs[fd]
            return False
        self.execution.take(self._outputs[fd], data, now)
        return len(data) == size

    def _drain(self, now: float) -> None:
        for fd in list(self._outputs):
            for _ in range(READS_AT_END):
                if self.execution.output_truncated or fd not in self._outputs:
                    break
                try:
                    data = os.read(fd, MAX_OUTPUT_BYTES)
                except BlockingIOError:
                    break
                if data:
                    self.execution.take(self._outputs[fd], data, now)
                else:
                    del self._outputs[fd]

    def _end_stage(self, status: int | None, now: float) -> tuple[Finished, bytes] | None:
        execution, sandbox = self.execution, self._stage.sandbox
        self._drain(now)
        if self._outputs and not self._killed:
            # Somebody else in there holds a pipe: it goes, and its last words are read.
            self._killed = True
            sandbox.kill()
            self._drain(now)
        wall_s = now - execution.stage_started
        cpu_s = sandbox.cpu_s()
        outcome = execution.end_stage(
            status,
            sum(cpu_s),
            sandbox.oom_killed(),
            # Nobody asks about what ended well.
            status != 0 and sandbox.processes_refused(),
            now,
        )
        if outcome is None:
            return self._next_stage()
        if execution.compiling:
            return self._finish(outcome, (0.0, 0.0), 0.0, 0)
        return self._finish(outcome, cpu_s, wall_s, sandbox.peak_memory_bytes())

    def _next_stage(self) -> tuple[Finished, bytes] | None:
        self._killed = False
        try:
            stage = self._armed.after_compile()
        except CompileLost:
            outcome = Outcome(Verdict.COMPILE_ERROR, NEVER_RAN, 0, "the compiler left no program")
            return self._finish(outcome, (0.0, 0.0), 0.0, 0)
        self._start(stage)
        self._armed.run_begun()
        return None

    def _finish(
        self, outcome: Outcome, cpu_s: tuple[float, float], wall_s: float, peak: int
    ) -> tuple[Finished, bytes]:
        hit = self._armed.compile_cache_hit
        return self.execution.finish(outcome, cpu_s, wall_s, peak, hit, time.monotonic())
