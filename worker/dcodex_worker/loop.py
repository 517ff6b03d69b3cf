"""A worker process: one link, one armed sandbox, at most one execution at a time.

Theory of operation
-------------------
    arm → Ready (IDLE) → Lease (BUSY) → … → Finished (RECYCLING) → destroy, arm → Ready

Ready is said when all waits that was started for the next program: a request had better go to a
worker where it does.

Single-threaded. A turn waits for the link, the program's pipes and the nearest deadline; takes
in what the coordinator said; lets the execution do what is due. Finished is sent before the
sandbox is destroyed: whoever waits for the answer does not wait for the cleaning. Arming takes
milliseconds and blocks the loop: nothing but a Retire can come meanwhile.

The worker ends (exit status 0) when it is retired or the coordinator is lost, and with status
1 when arming failed ARMING_ATTEMPTS times in a row. Its host then cleans its slot.
"""

from __future__ import annotations

import logging
import math
import select
import time

from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.limits import MIB
from dcodex_shared.messages import (
    Arm,
    Cancel,
    Credit,
    Finished,
    Lease,
    Message,
    Payload,
    Ready,
    Retire,
    Signal,
    Stdin,
    StdinClose,
)
from dcodex_shared.placement import Place
from dcodex_shared.program import unpack_program
from dcodex_worker.execution import Execution
from dcodex_worker.link import Link
from dcodex_worker.presence import State
from dcodex_worker.reports import CompileCache, Kind, Reporter
from dcodex_worker.running import Run, failure
from dcodex_worker.runtimes import Armed, Workshop
from dcodex_worker.sandbox.box import SetupError
from dcodex_worker.verdict import Cause

log = logging.getLogger(__name__)

#: Arming that fails this often in a row will not get better by itself: the host starts over.
ARMING_ATTEMPTS = 3
#: The pause before another attempt, times the failures so far, in seconds.
ARMING_PAUSE_S = 0.2
#: How long a worker is kept back for what is still starting in its sandbox, in seconds: some 40 ms
#: of CPU time, which machines that run something else may take their time for.
PREPARING_MOST_S = 0.25
#: The longest wait of a turn, so that a missed wake-up would show as slowness, not as a hang.
WAIT_MOST_S = 1.0
#: Who has written this much is likely to write more, and to pass that on takes a CPU of its own;
#: moving there, and back, takes as long as passing on two pieces.
BULK_BYTES = 4 * MIB

_NEVER = float("inf")


class Worker:
    """One worker's life."""

    def __init__(
        self,
        link: Link,
        workshop: Workshop,
        reporter: Reporter,
        language: str,
        retire_fd: int,
        retire_grace_s: float,
        place: Place,
    ) -> None:
        self._link = link
        self._workshop = workshop
        self._reporter = reporter
        #: What the sandbox is, or is to be, armed for.
        self._language = language
        #: Readable when the host wants this worker to retire.
        self._retire_fd = retire_fd
        #: What a running program then has left.
        self._retire_grace_s = retire_grace_s
        #: None while RECYCLING.
        self._armed: Armed | None = None
        #: Not None exactly while BUSY.
        self._run: Run | None = None
        #: The armed sandbox is not announced yet; `_arming_s` is what it took.
        self._unannounced = False
        self._arming_s = 0.0
        #: When it is announced though not all waits in it yet.
        self._announce_by = 0.0
        #: Consecutive failures to arm, and when to try again.
        self._failures = 0
        self._arm_at = 0.0
        #: When a running program is cancelled for the retirement; _NEVER: not retiring.
        self._retire_by = _NEVER
        self._exit_status: int | None = None
        self._place = place
        self._cores = place.cpus

    def run(self) -> int:
        """Serve until the end; returns the exit status."""
        self._link.open(time.monotonic())
        poller = _Poller()
        try:
            while self._exit_status is None:
                now = time.monotonic()
                events = poller.wait(self._interest(now), self._timeout(now))
                now = time.monotonic()
                if self._armed is not None and (fd := self._armed.listener()) in events:
                    self._armed.answer(events[fd])
                if self._link.monitor_fd in events:
                    self._link.watch(now)
                if self._link.fd in events or self._link.pending():
                    for message, payload in self._link.receive(now):
                        self._handle(message, payload, now)
                if self._run is not None:
                    self._turn(self._run, events, now)
                self._link.tend(now)
                self._settle(events, now)
        finally:
            self._disarm()
            self._link.leave("retired", time.monotonic())
            self._link.close()
        return self._exit_status

    def _interest(self, now: float) -> dict[int, int]:
        wanted = {} if self._run is None else self._run.interest(now)
        wanted[self._link.fd] = wanted[self._link.monitor_fd] = select.POLLIN
        if self._retire_by == _NEVER:
            wanted[self._retire_fd] = select.POLLIN
        if self._armed is not None and (listener := self._armed.listener()) >= 0:
            wanted[listener] = select.POLLIN
        if (preparing := self._preparing(now)) >= 0:
            wanted[preparing] = select.POLLIN
        return wanted

    def _timeout(self, now: float) -> float:
        if self._link.pending():
            return 0.0
        deadline = min(self._link.presence.next_deadline(), now + WAIT_MOST_S)
        if self._run is not None:
            deadline = min(deadline, self._run.execution.next_deadline(now), self._retire_by)
        elif self._armed is None:
            deadline = min(deadline, self._arm_at)
        elif self._preparing(now) >= 0:
            deadline = min(deadline, self._announce_by)
        return max(0.0, deadline - now)

    def _handle(self, message: Message, payload: Payload, now: float) -> None:
        execution_id = getattr(message, "execution_id", None)
        run = self._run
        match message:
            case Lease() if run is None and self._armed is not None:
                self._lease(message, payload, now)
            case Arm(language=language) if run is None:
                self._disarm()
                self._arm(language, now)
            case Lease() | Arm():
                log.error("dropped an order that a busy worker cannot get order=%r", message)
            case Retire(grace_s=grace_s):
                self._retire_by = min(self._retire_by, now + max(0.0, grace_s))
            case _ if run is None or run.execution.lease.execution_id != execution_id:
                return
            case Credit(count=count):
                run.execution.credit(count)
            case Stdin():
                credit = run.execution.push_stdin(payload)
                if credit is not None:
                    self._link.send(credit, b"", now)
            case StdinClose():
                run.execution.end_stdin()
            case Signal(number=number):
                run.signal(number)
            case Cancel(reason=reason):
                run.execution.stop(Cause.CANCELLED, reason)
            case _:
                return

    def _lease(self, lease: Lease, payload: Payload, now: float) -> None:
        try:
            program = unpack_program(payload)
        except RemoteProtocolError as error:
            log.error("no program in a lease execution_id=%s error=%s", lease.execution_id, error)
            self._finish(failure(lease.execution_id, "the request could not be read"), b"", now)
            return
        execution = Execution(lease, program, self._cores, now)
        if lease.language != self._language:
            self._disarm()
            self._arm(lease.language, now, awaited=True)
        if self._armed is None:
            text = "the sandbox could not be set up"
            self._finish(failure(lease.execution_id, text), b"", time.monotonic())
            return
        self._unannounced = False
        self._run = run = Run(self._armed, execution, self._link.send)
        try:
            run.begin()
        except SetupError as error:
            self._give_up(run, error, now)

    def _turn(self, run: Run, events: dict[int, int], now: float) -> None:
        if now >= self._retire_by:
            run.execution.stop(Cause.CANCELLED, "the farm is draining")
        try:
            last = run.turn(events, now)
        except SetupError as error:
            self._give_up(run, error, now)
            return
        if last is not None:
            self._finish(*last, now)
        elif run.execution.forwarded_bytes >= BULK_BYTES:
            self._place.leave()

    def _give_up(self, run: Run, error: SetupError, now: float) -> None:
        """A sandbox failed: that ends the run as ours, not as the program's."""
        execution_id = run.execution.lease.execution_id
        log.error("a sandbox failed execution_id=%s error=%s", execution_id, error)
        self._failures += 1
        self._finish(failure(execution_id, "the sandbox could not be set up"), b"", now)

    def _finish(self, finished: Finished, payload: bytes, now: float) -> None:
        """Answer, then clean: nobody waits for the second."""
        self._link.send(finished, payload, now)
        if self._run is not None:
            self._report_run(self._run, finished)
        self._run = None
        self._place.come_back()
        self._disarm()
        self._arm_at = 0.0

    def _settle(self, events: dict[int, int], now: float) -> None:
        """Move on where nothing runs: end, arm, announce."""
        if self._link.lost:
            log.info("the coordinator is lost reason=%r", self._link.presence.reason)
            self._exit_status = 0
            return
        if self._retire_fd in events:
            self._retire_by = min(self._retire_by, now + self._retire_grace_s)
        if self._run is not None:
            return
        if self._retire_by < _NEVER:
            self._exit_status = 0
        elif self._armed is None and now >= self._arm_at and self._exit_status is None:
            self._arm(self._language, now)
        if not self._unannounced:
            return
        if self._preparing(now) in events:
            self._announce_by = now
        if self._link.presence.state is State.MET and self._preparing(now) < 0:
            self._unannounced = False
            ready = Ready(language=self._language, arming_s=self._arming_s)
            self._link.send(ready, b"", time.monotonic())

    def _preparing(self, now: float) -> int:
        """What the announcement waits for; -1: nothing."""
        if not self._unannounced or self._armed is None or now >= self._announce_by:
            return -1
        return self._armed.preparing()

    def _disarm(self) -> None:
        armed, self._armed = self._armed, None
        self._unannounced = False
        if armed is None:
            return
        try:
            armed.destroy()
        except SetupError as error:
            # What does not go by itself is the host's to clean, with the slot.
            log.error("gives up: a sandbox could not be destroyed error=%s", error)
            self._exit_status = 1

    def _arm(self, language: str, now: float, awaited: bool = False) -> None:
        """Arm, or say when to try again; ends the worker after too many failures.

        awaited: for a request that has come.
        """
        self._language = language
        started = time.monotonic()
        try:
            self._armed = self._workshop.arm(language, awaited)
        except SetupError as error:
            self._failures += 1
            log.error(
                "could not arm language=%s attempt=%d error=%s", language, self._failures, error
            )
            self._reporter.send(Kind.ARMING_FAILED, language, time.monotonic() - started)
            self._arm_at = now + ARMING_PAUSE_S * self._failures
            if self._failures >= ARMING_ATTEMPTS:
                log.error("gives up: arming failed %d times in a row", self._failures)
                self._exit_status = 1
            return
        self._failures = 0
        self._unannounced = True
        armed_at = time.monotonic()
        self._announce_by = armed_at + PREPARING_MOST_S
        self._arming_s = armed_at - started
        self._reporter.send(Kind.ARMED, language, self._arming_s)

    def _report_run(self, run: Run, finished: Finished) -> None:
        cache = CompileCache.UNUSED
        if run.execution.compile_s > 0 or finished.compile_cache_hit:
            cache = CompileCache.HIT if finished.compile_cache_hit else CompileCache.MISS
        self._reporter.send(
            Kind.FINISHED,
            self._language,
            finished.wall_s,
            finished.verdict,
            run.execution.forwarded_bytes,
            cache,
        )


class _Poller:
    """poll(2) over a set of descriptors that changes little from turn to turn."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._registered: dict[int, int] = {}

    def wait(self, wanted: dict[int, int], timeout_s: float) -> dict[int, int]:
        """The descriptors on which something happened, with what."""
        if wanted != self._registered:
            for fd in self._registered.keys() - wanted.keys():
                self._poll.unregister(fd)
            for fd, mask in wanted.items() - self._registered.items():
                self._poll.register(fd, mask)
            self._registered = wanted
        # Rounded up: waking before the deadline would only mean to wait again.
        return dict(self._poll.poll(math.ceil(timeout_s * 1000)))
