"""One execution's decisions: what to read, keep, send and throw away, and when to stop it.

Theory of operation
-------------------
The loop tells what it saw (bytes read, credit received, CPU used, the time) and asks what may
be done: whether to read the pipes, what to send, which stdin to write, when to wake up.

Output, streaming: a piece is sent as soon as it is read; when the window is used up the pipes
are no longer read, so that the program itself blocks. At the end of a stage what the pipes
still hold travels with Finished, beyond the window by at most their content.

Output, unary: pieces are kept, neighbours of one stream joined, and travel with Finished. If
they outgrow UNARY_KEPT_BYTES they are sent like a streaming one's from then on, but still looked
at seldom: nobody reads along.

`cause` is set once, by the first reason to stop; the loop then kills the sandbox. Output after
that is still taken up to its limit, because it was written before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from dcodex_shared.limits import (
    MAX_CHUNK_BYTES,
    STDIN_WINDOW_BYTES,
    Limits,
)
from dcodex_shared.messages import Finished, Lease, Output, Payload, StdinCredit, Stream
from dcodex_shared.program import Program, pack_records
from dcodex_worker.verdict import Cause, Ending, Outcome, judge

#: A unary run's output that is held back for its one answer: nearly all runs stay one message,
#: and more than this is on its way while the program still writes.
UNARY_KEPT_BYTES = 256 * 1024
#: The same for a gateway that takes nothing before the answer, as those of the release before:
#: the largest answer that it can be given.
UNARY_KEPT_MOST_BYTES = 4 * 1024 * 1024
#: Two looks at the CPU counters are at least this far apart: an overshoot of one such step on
#: every core is far below the 100 ms that a limit may be passed by.
CPU_CHECK_S = 0.010
#: ... and at most this, so that a program hit by the OOM killer in a child does not linger.
CPU_CHECK_MOST_S = 0.5
#: How long a unary run is waited for before its output is looked at, again after each look:
#: most end sooner, and a wake-up for every piece would cost more than the piece.
UNARY_PATIENCE_S = 0.002
#: ... and where it has written a lot, as much as the smaller pipe holds: that is soon full again.
UNARY_HASTE_S = 0.001
UNARY_LOT_BYTES = 64 * 1024
#: A killed sandbox that does not report its end within this is given up as lost.
KILL_PATIENCE_S = 5.0

_NEVER = float("inf")


class Execution:
    """One lease, from its arrival to its Finished."""

    def __init__(self, lease: Lease, program: Program, cores: int, now: float) -> None:
        self.lease = lease
        self.program = program
        self._cores = max(1, cores)
        #: Why we stop it; set once.
        self.cause: Cause | None = None
        self.reason = ""
        #: Whether output goes out as it comes.
        self.streaming = lease.streaming
        #: Of a unary run: what is held back before it does.
        self._kept_most = (
            UNARY_KEPT_BYTES if lease.piece_bytes > MAX_CHUNK_BYTES else UNARY_KEPT_MOST_BYTES
        )
        #: How long the pipes are left alone after each look.
        self._patience_s = 0.0 if lease.streaming else UNARY_PATIENCE_S
        #: Output that may still be sent unacknowledged; below 0 never.
        self._window = lease.window_bytes
        #: Less window than this is saved up: sending little for little credit would cut the
        #: stream into ever smaller pieces.
        self._least_window = max(1, min(lease.piece_bytes, lease.window_bytes // 4))
        #: Output read and not sent yet, in order; `_kept_bytes` is its size.
        self._kept: deque[tuple[Stream, bytes]] = deque()
        self._kept_bytes = 0
        #: Output bytes passed on in all stages.
        self.forwarded_bytes = 0
        self.output_truncated = False
        #: What the pipe has not taken; at most the initial stdin and one window.
        self._stdin = bytearray(program.stdin)
        #: How much of `_stdin` came with the program, for which nobody waits for credit.
        self._stdin_initial = len(program.stdin)
        #: What the pipe took and no credit was given for yet, in bytes.
        self._stdin_taken = 0
        self._stdin_ended = program.stdin_complete
        self._stdin_broken = False
        # The stage's; all set by begin_stage().
        self.limits = program.limits
        self.compiling = False
        self.stage_started = now
        self._output_left = 0
        self._wall_deadline = _NEVER
        self._cpu_check = _NEVER
        self._watch_from = now
        self._kill_deadline = _NEVER
        #: Wall time of the compile stage, in seconds.
        self.compile_s = 0.0
        #: (where, time) pairs; empty unless the lease asks for a trace.
        self.stamps: list[tuple[str, float]] = []
        self.stamp("worker.received", now)

    def stamp(self, where: str, now: float) -> None:
        """Note a time of the trace, once each."""
        if self.lease.trace and all(name != where for name, _ in self.stamps):
            self.stamps.append((where, now))

    # --- stages ------------------------------------------------------------------------------

    def begin_stage(self, limits: Limits, compiling: bool, now: float) -> None:
        """The stage's first process was let go."""
        self.limits = limits
        self.compiling = compiling
        self.stage_started = now
        self._output_left = limits.output_bytes
        self._wall_deadline = now + limits.wall_s
        self._cpu_check = now + self._cpu_pause(limits.cpu_s)
        self._watch_from = now + self._patience_s
        if not compiling:
            self.stamp("worker.launched", now)

    def end_stage(
        self,
        status: int | None,
        cpu_s: float,
        oom_killed: bool,
        processes_refused: bool,
        now: float,
    ) -> Outcome | None:
        """What the stage came to; None: it compiled, and the run can begin."""
        if self.compiling:
            self.compile_s = now - self.stage_started
        else:
            self.stamp("worker.exited", now)
        self._wall_deadline = self._cpu_check = self._kill_deadline = _NEVER
        return judge(
            Ending(
                status=status,
                cause=self.cause,
                reason=self.reason,
                cpu_s=cpu_s,
                oom_killed=oom_killed,
                processes_refused=processes_refused,
                output_truncated=self.output_truncated,
                compiling=self.compiling,
                limits=self.limits,
            )
        )

    def finish(
        self,
        outcome: Outcome,
        cpu_s: tuple[float, float],
        wall_s: float,
        peak_memory_bytes: int,
        compile_cache_hit: bool,
        now: float,
    ) -> tuple[Finished, bytes]:
        """The last message, with the output that was not sent before as its payload."""
        self.stamp("worker.sent", now)
        payload = pack_records((int(stream), data) for stream, data in self._kept)
        self._kept.clear()
        self._kept_bytes = 0
        finished = Finished(
            execution_id=self.lease.execution_id,
            verdict=int(outcome.verdict),
            exit_code=outcome.exit_code,
            signal=outcome.signal,
            message=outcome.message,
            cpu_user_s=cpu_s[0],
            cpu_system_s=cpu_s[1],
            wall_s=wall_s,
            peak_memory_bytes=peak_memory_bytes,
            compile_s=self.compile_s,
            output_truncated=self.output_truncated,
            compile_cache_hit=compile_cache_hit,
            stamps=tuple(self.stamps),
        )
        return finished, payload

    # --- output ------------------------------------------------------------------------------

    def wants_output(self) -> bool:
        """Whether the pipes may be read: False makes the program wait."""
        if self.streaming:
            return not self._kept and self._window >= self._least_window
        return self._kept_bytes < self._kept_most

    def read_bytes(self) -> int:
        """The size of the next read."""
        most = self.lease.piece_bytes
        return min(most, self._window) if self.streaming else most

    def watches_output(self, now: float) -> bool:
        """Whether to be woken up by output already."""
        return now >= self._watch_from and self.wants_output()

    def take(self, stream: Stream, data: bytes, now: float) -> None:
        """A piece was read from the program's stdout or stderr."""
        self.stamp("worker.first_output", now)
        if len(data) > self._output_left:
            data = data[: self._output_left]
            self.output_truncated = True
            self.stop(Cause.OUTPUT)
        self._output_left -= len(data)
        if not data:
            return
        self.forwarded_bytes += len(data)
        if self.forwarded_bytes >= UNARY_LOT_BYTES:
            self._patience_s = min(self._patience_s, UNARY_HASTE_S)
        self._watch_from = now + self._patience_s
        self._kept_bytes += len(data)
        stream = Stream.COMPILER if self.compiling else stream
        if self._kept:
            last, before = self._kept[-1]
            if last is stream and len(before) + len(data) <= MAX_CHUNK_BYTES:
                self._kept[-1] = (stream, before + data)
                return
        self._kept.append((stream, data))

    def sendable(self) -> Iterator[tuple[Output, bytes]]:
        """Pieces to send now."""
        if not self.streaming:
            if self._kept_bytes < self._kept_most:
                return
            self.streaming = True
        while self._kept and self._window > 0:
            stream, data = self._kept[0]
            if len(data) > self._window < self._least_window:
                return
            self._kept.popleft()
            if len(data) > self._window:
                self._kept.appendleft((stream, data[self._window :]))
                data = data[: self._window]
            self._window -= len(data)
            self._kept_bytes -= len(data)
            yield Output(self.lease.execution_id, int(stream)), data

    def credit(self, count: int) -> None:
        """The caller has taken so many bytes; a peer that gives too much gains nothing."""
        if count > 0:
            widest = max(self.lease.window_bytes, self.lease.widest_window_bytes)
            self._window = min(self._window + count, widest)

    # --- stdin -------------------------------------------------------------------------------

    def push_stdin(self, data: Payload) -> StdinCredit | None:
        """More stdin came; the credit to pass back at once where nobody will read it."""
        if self._stdin_ended:
            return None
        if len(self._stdin) - self._stdin_initial + len(data) > STDIN_WINDOW_BYTES:
            self.stop(Cause.OVERRUN)
            return None
        self._stdin += data
        return self.break_stdin() if self._stdin_broken else None

    def end_stdin(self) -> None:
        """No more will come."""
        self._stdin_ended = True

    def next_stdin(self) -> bytes:
        """What to offer to the pipe; empty: nothing now. Compilers get none."""
        if self.compiling or self._stdin_broken:
            return b""
        return bytes(self._stdin[:MAX_CHUNK_BYTES])

    def stdin_exhausted(self) -> bool:
        """Whether the pipe is to be closed: EOF, or nobody reads it any more."""
        return self._stdin_broken or (self._stdin_ended and not self._stdin)

    def took_stdin(self, count: int) -> StdinCredit | None:
        """The pipe took so many bytes; the credit to pass back, if any.

        Half a window at a time: a credit for each line of a dialogue would be in its way, and who
        has the other half to go on with does not wait for it.
        """
        del self._stdin[:count]
        initial = min(count, self._stdin_initial)
        self._stdin_initial -= initial
        self._stdin_taken += count - initial
        if self._stdin_taken * 2 < STDIN_WINDOW_BYTES:
            return None
        given_back, self._stdin_taken = self._stdin_taken, 0
        return StdinCredit(self.lease.execution_id, given_back)

    def break_stdin(self) -> StdinCredit | None:
        """The program closed its stdin: what waits is thrown away and given back, as by a pipe."""
        self._stdin_broken = True
        return self.took_stdin(len(self._stdin)) if self._stdin else None

    # --- time --------------------------------------------------------------------------------

    def next_deadline(self, now: float) -> float:
        """When the loop has to look again though nothing happened."""
        if self.cause is not None:
            return self._kill_deadline
        watch = self._watch_from if now < self._watch_from else _NEVER
        return min(self._wall_deadline, self._cpu_check, watch)

    def wants_cpu(self, now: float) -> bool:
        """Whether the CPU counters are due."""
        return self.cause is None and now >= self._cpu_check

    def used_cpu(self, cpu_s: float, oom_killed: bool, now: float) -> None:
        """The whole tree has used so much; sets the next look."""
        if cpu_s >= self.limits.cpu_s:
            self.stop(Cause.CPU)
        elif oom_killed:
            # The verdict comes from the counter; the survivors only have to go.
            self.stop(Cause.WALL)
        self._cpu_check = now + self._cpu_pause(self.limits.cpu_s - cpu_s)

    def expire(self, now: float) -> None:
        """Stop it if its time is over."""
        if now >= self._wall_deadline:
            self.stop(Cause.WALL)

    def killed(self, now: float) -> None:
        """The sandbox was told to die; from here on its end is awaited with patience."""
        if self._kill_deadline == _NEVER:
            self._kill_deadline = now + KILL_PATIENCE_S

    def given_up(self, now: float) -> bool:
        """Whether a killed sandbox has had its time to report."""
        return now >= self._kill_deadline

    def stop(self, cause: Cause, reason: str = "") -> None:
        """Have it killed; the first cause stands."""
        if self.cause is None:
            self.cause = cause
            self.reason = reason

    def _cpu_pause(self, left_s: float) -> float:
        # The limit cannot be reached sooner than with every core at work; halving the distance
        # each time takes few looks.
        return min(max(left_s / self._cores, CPU_CHECK_S), CPU_CHECK_MOST_S)
