"""The executions: taken in, queued, leased, passed through, ended. Each ends exactly once.

Whatever a peer says about an execution is believed only if it is that peer's: a gateway's own
submission, or what the worker was leased. An execution that is not known is late, not wrong.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass

from dcodex_coordinator.execution import Execution, Phase
from dcodex_coordinator.fair_queue import FairQueue
from dcodex_coordinator.figures import Figures
from dcodex_coordinator.flights import Flights
from dcodex_coordinator.outbox import Outbox, Peer
from dcodex_coordinator.pool import Cause, State, Worker, WorkerPool
from dcodex_coordinator.results import Recording, RecordingBudget, Result, ResultStore
from dcodex_coordinator.timers import Timers
from dcodex_shared.errors import Reason
from dcodex_shared.limits import (
    COMPILE_LIMITS,
    MAX_CHUNK_BYTES,
    MAX_OUTPUT_BYTES,
    MIB,
    STDIN_WINDOW_BYTES,
)
from dcodex_shared.messages import (
    Cancel,
    Credit,
    Finished,
    Lease,
    Message,
    Output,
    Payload,
    Queued,
    Refused,
    Signal,
    Started,
    Stdin,
    StdinClose,
    StdinCredit,
    Submit,
    Verdict,
)

#: A worker has this long beyond the wall limit and the compiler's to say Finished: killing,
#: reaping and reading usage take milliseconds, the rest is for a machine that swaps.
OVERRUN_MARGIN_S = 10.0
#: A worker that was told to kill its program has this long to say Finished.
CANCEL_GRACE_S = 5.0
#: A worker must arm again within this time.
RECYCLE_BOUND_S = 30.0
#: Programs and early stdin of everything that waits, in bytes: the coordinator's memory.
MAX_WAITING_BYTES = 512 * MIB
#: Messages that one execution may have wait for its lease; a terminal's user types less.
MAX_HELD_MESSAGES = 1024
#: An execution id is a uuid; what is longer is somebody else's idea.
MAX_ID_CHARS = 128
#: Results by the caller's own execution id: for as long as a client retries.
REMEMBERED_ENTRIES = 2000
REMEMBERED_BYTES = 16 * MIB
REMEMBERED_S = 600.0
#: Ids of ended executions that are not taken in again: those of the last seconds at full speed.
ENDED_IDS = 20_000
#: A worker that began to arm less than this ago, in seconds, is thought to be about to serve.
#: Arming takes milliseconds; another language's worker that is armed in its place takes tens of
#: them, and is missed where it was. One that needs longer than this is in no better shape.
SOON_S = 0.1
#: Requests wait so long for a worker of their language to come at all: a host's restart.
STRANDED_S = 30.0
#: Executions whose position is looked at again in one tick.
POSITIONS_A_TICK = 100
#: A request is refused early only when the queue is this many times too long for its deadline:
#: the estimate is coarse.
HOPELESS = 2.0

#: With UNAVAILABLE it says that nothing was started, so that a gateway may send it elsewhere.
RETRY_AFTER_S = 1.0

_VERDICTS = frozenset(map(int, Verdict))


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What the operator sets of this."""

    weights: dict[str, float]
    max_workers: int
    max_queued: int
    max_queued_per_tenant: int
    cache_entries: int
    cache_bytes: int
    cache_ttl_s: float
    cache_shared: bool


class Desk:
    """Everything about executions; workers' own lives are the supervisor's."""

    def __init__(
        self, settings: DeskSettings, outbox: Outbox, pool: WorkerPool, figures: Figures
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._pool = pool
        self._figures = figures
        self.queue: FairQueue[Execution] = FairQueue(settings.weights)
        #: Everything that has not been told its end, by id.
        self._executions: dict[str, Execution] = {}
        #: The same by gateway.
        self._by_gateway: dict[Peer, dict[str, Execution]] = {}
        #: WAITING and FOLLOWING ones by tenant, and the memory they take.
        self._held_by_tenant: Counter[str] = Counter()
        self._held = 0
        self._held_bytes = 0
        self._deadlines: Timers[str] = Timers()
        self._flights = Flights()
        self._budget = RecordingBudget()
        clock = self._clock
        self._results = ResultStore(
            settings.cache_entries, settings.cache_bytes, settings.cache_ttl_s, clock
        )
        self._remembered = ResultStore(REMEMBERED_ENTRIES, REMEMBERED_BYTES, REMEMBERED_S, clock)
        #: Versions of each language that hosts offer now.
        self.versions: dict[str, tuple[str, ...]] = {}
        #: Idle workers that recent demand wants armed, by language: those beyond are cheap.
        self.wanted: dict[str, int] = {}
        #: The ids that ended last, oldest first: a message that was on its way twice must not
        #: run a program twice.
        self._ended: OrderedDict[str, None] = OrderedDict()
        #: Requests served from the queue so far.
        self._served = 0
        #: Languages that wait and that no worker can run, and since when.
        self._stranded_since: dict[str, float] = {}
        #: Streaming executions whose position may have changed, looked at in turn.
        self._told: deque[Execution] = deque()
        #: New requests are refused.
        self.draining = False

    # --- from gateways -----------------------------------------------------------------------

    def submit(self, gateway: Peer, submit: Submit, program: Payload, now: float) -> None:
        """Take a request in: answered, followed, queued, leased or refused."""
        if not self._is_sound(submit):
            self._figures.dropped["malformed"] += 1
            return
        execution = Execution(gateway, submit, program, now)
        refusal = self._refusal(execution)
        if refusal is not None:
            self._figures.refused[refusal.reason] += 1
            self._outbox.send(gateway, refusal)
            return
        self._executions[submit.execution_id] = execution
        self._by_gateway.setdefault(gateway, {})[submit.execution_id] = execution
        if submit.deadline_s > 0:
            self._deadlines.set(submit.execution_id, now + submit.deadline_s)
        execution.held_bytes = len(program)
        self._hold(execution)
        if (submit.cache_key or submit.client_key) and self._is_answered(execution, now):
            return
        self._enqueue(execution, now)
        self.dispatch(now)
        if execution.phase is Phase.WAITING and submit.streaming:
            self._tell_position(execution)

    def cancel(self, gateway: Peer, cancel: Cancel, now: float) -> None:
        """The caller no longer wants an answer."""
        execution = self._owned(gateway, cancel.execution_id)
        if execution is None:
            return
        if execution.phase is Phase.RUNNING:
            self._kill(execution, cancel.reason, now)
            return
        self._finish_unrun(execution, now)

    def credit(self, gateway: Peer, credit: Credit, now: float) -> None:
        """The caller has taken output."""
        execution = self._owned(gateway, credit.execution_id)
        if execution is None:
            return
        submit = execution.submit
        most = execution.unacknowledged + max(0, submit.widest_window_bytes - submit.window_bytes)
        if credit.count > most:
            # More than it was sent, and its window would be wider than it asked for.
            credit = Credit(credit.execution_id, most)
        if credit.count <= 0:
            self._figures.dropped["malformed"] += 1
            return
        execution.unacknowledged -= credit.count
        if execution.phase is Phase.REPLAYING:
            self._replay(execution, now)
        elif execution.phase is Phase.RUNNING:
            self._to_worker(execution, credit, b"")

    def stdin(self, gateway: Peer, stdin: Stdin, data: Payload, now: float) -> None:
        """More stdin for the program."""
        execution = self._owned(gateway, stdin.execution_id)
        if execution is None:
            return
        if len(data) > MAX_CHUNK_BYTES:
            self._figures.dropped["malformed"] += 1
            self._fail(execution, Reason.INTERNAL, "stdin in too large a piece", now)
            return
        execution.stdin_unread += len(data)
        if execution.stdin_unread > STDIN_WINDOW_BYTES:
            self._figures.dropped["window"] += 1
            self._fail(execution, Reason.INTERNAL, "stdin beyond its window", now)
            return
        self._figures.stdin_bytes += len(data)
        self._pass_in(execution, stdin, data, now)

    def pass_in(self, gateway: Peer, message: StdinClose | Signal, now: float) -> None:
        """Something else for the program."""
        execution = self._owned(gateway, message.execution_id)
        if execution is None:
            return
        if isinstance(message, Signal) and not 1 <= message.number <= 31:
            self._figures.dropped["malformed"] += 1
            return
        self._pass_in(execution, message, b"", now)

    def gateway_lost(self, gateway: Peer, now: float) -> None:
        """Nobody awaits its executions any more."""
        for execution in _followers_first(self._by_gateway.get(gateway, {})):
            self._abandon(execution, "the gateway was lost", now)
        self.dispatch(now)

    # --- from workers ------------------------------------------------------------------------

    def output(self, worker: Worker, output: Output, data: Payload, now: float) -> bool:
        """Pass output on; False if the worker broke the protocol."""
        execution = worker.execution
        if execution is None or execution.submit.execution_id != output.execution_id:
            self._figures.dropped["not_leased"] += 1
            return True
        if len(data) > MAX_OUTPUT_BYTES or not 0 <= output.stream <= 2:
            self._figures.dropped["malformed"] += 1
            return False
        execution.unacknowledged += len(data)
        if execution.unacknowledged > execution.submit.window_bytes:
            self._figures.dropped["window"] += 1
            return False
        if execution.phase is Phase.RUNNING:
            self._figures.output_bytes += len(data)
            self._outbox.send(execution.gateway, output, data)
            if execution.recording is not None:
                execution.recording.add(output.stream, data)
        return True

    def stdin_credit(self, worker: Worker, credit: StdinCredit) -> None:
        """The program has read stdin."""
        execution = worker.execution
        if execution is None or execution.submit.execution_id != credit.execution_id:
            self._figures.dropped["not_leased"] += 1
            return
        if credit.count > execution.stdin_unread:
            # The stdin inside the program's own payload is not under this window.
            credit = StdinCredit(credit.execution_id, execution.stdin_unread)
        if credit.count > 0:
            execution.stdin_unread -= credit.count
            if execution.phase is Phase.RUNNING:
                self._outbox.send(execution.gateway, credit)

    def finished(self, worker: Worker, finished: Finished, payload: Payload, now: float) -> bool:
        """The worker's word on how the program ended; False if it broke the protocol."""
        execution = worker.execution
        if execution is None or execution.submit.execution_id != finished.execution_id:
            self._figures.dropped["not_leased"] += 1
            return True
        if finished.verdict not in _VERDICTS:
            self._figures.dropped["malformed"] += 1
            return False
        self._pool.move(worker, Cause.ENDED, now)
        worker.execution = None
        worker.executions += 1
        worker.overdue_at = now + RECYCLE_BOUND_S
        execution.worker = None
        submit = execution.submit
        figures = self._figures
        lasted_s = now - execution.leased_at
        self.queue.settle(execution.waiting, lasted_s)
        language = figures.language(submit.language)
        language.verdicts[finished.verdict] += 1
        language.run.observe(lasted_s)
        if finished.peak_memory_bytes > figures.peak_memory_bytes:
            figures.peak_memory_bytes = finished.peak_memory_bytes
        if execution.phase is Phase.ENDED:
            # Its end was told when it was given up.
            return True
        figures.output_bytes += len(payload)
        stamps = finished.stamps
        if submit.trace:
            stamps = (
                ("coordinator.received", execution.arrived_at),
                ("coordinator.leased", execution.leased_at),
                *stamps,
                ("coordinator.finished", now),
            )
        complete = Finished(
            finished.execution_id,
            finished.verdict,
            finished.exit_code,
            finished.signal,
            finished.message,
            finished.cpu_user_s,
            finished.cpu_system_s,
            finished.wall_s,
            finished.peak_memory_bytes,
            finished.compile_s,
            finished.output_truncated,
            finished.compile_cache_hit,
            stamps,
            False,
            execution.leased_at - execution.arrived_at,
            worker.worker_id,
            execution.warm,
        )
        self._outbox.send(execution.gateway, complete, payload)
        self._told_result(execution, now)
        result = None
        if execution.recording is not None:
            result = execution.recording.finish(complete, payload, execution.digest)
            execution.recording = None
        if result is not None:
            self._keep(execution, result)
        self._end(execution, result, now)
        return True

    def worker_lost(self, worker: Worker, now: float) -> None:
        """What the worker ran, if anything, will not end by itself. The worker has been moved."""
        execution = worker.execution
        if execution is None:
            return
        worker.execution = None
        execution.worker = None
        self.queue.settle(execution.waiting, now - execution.leased_at)
        if execution.phase is Phase.RUNNING:
            reason = Reason.CANCELLED if execution.cancelled else Reason.UNAVAILABLE
            self._refuse(execution, reason, "the worker was lost while the program ran", now)

    # --- time --------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When expire() next has something to do."""
        return self._deadlines.next_deadline()

    def expire(self, now: float) -> None:
        """End what is past its deadline."""
        for execution_id in self._deadlines.expire(now):
            execution = self._executions[execution_id]
            where = "while the program ran" if execution.phase is Phase.RUNNING else "in the queue"
            self._fail(execution, Reason.DEADLINE_EXCEEDED, f"the deadline passed {where}", now)

    def tick(self, now: float) -> None:
        """Look after those who wait: where nobody can serve them any more, and how far they are."""
        for language, depth in self.queue.depths().items():
            if not depth or self._is_served(language):
                self._stranded_since.pop(language, None)
            elif now - self._stranded_since.setdefault(language, now) > STRANDED_S:
                for execution in self.queue.waiting(language):
                    message = f"no worker for {language} came in {STRANDED_S:g} s"
                    self._fail(execution, Reason.UNAVAILABLE, message, now)
        for _ in range(min(POSITIONS_A_TICK, len(self._told))):
            execution = self._told.popleft()
            if execution.phase is not Phase.WAITING:
                continue
            ahead = max(0, execution.position - (self._served - execution.served_before))
            if ahead <= execution.position // 2:
                execution.position = ahead
                execution.served_before = self._served
                self._outbox.send(execution.gateway, Queued(execution.submit.execution_id, ahead))
            if execution.position:
                self._told.append(execution)

    def drain(self, now: float) -> None:
        """From now on only what runs goes on."""
        self.draining = True
        for execution in _followers_first(self._executions):
            if execution.phase in (Phase.WAITING, Phase.FOLLOWING):
                self._withdraw(execution)
                self._refuse(
                    execution, Reason.UNAVAILABLE, "the coordinator is draining", now, RETRY_AFTER_S
                )

    def give_up(self, now: float) -> None:
        """Refuse whatever is left."""
        for execution in _followers_first(self._executions):
            self._fail(execution, Reason.UNAVAILABLE, "the coordinator is stopping", now)

    def is_quiet(self) -> bool:
        """Whether nothing runs, waits or is being told."""
        return not self._executions and not self._pool.counts[State.BUSY]

    # --- whose turn it is --------------------------------------------------------------------

    def dispatch(self, now: float) -> None:
        """Lease idle workers to waiting requests until one of the two runs out.

        To be called when either has come, when one that armed is lost, and while requests wait.
        """
        idle = self._pool.idle
        while idle and self.queue.depth:
            waiting = self.queue.pop(self._can_run, idle)
            if waiting is None:
                return
            self._served += 1
            worker = self._choose(waiting.language)
            self._lease(waiting.item, worker, now)

    def _can_run(self, language: str) -> bool:
        """Whether to lease one of the idle workers for it."""
        if language in self._pool.idle:
            return True
        since = self._outbox.now - SOON_S
        if self.queue.depth_of(language) <= self._pool.arming(language, since):
            return False
        return self._is_spared(language)

    def _is_spared(self, language: str) -> bool:
        """Whether an idle worker could be armed for it."""
        return any(
            language in worker.host.languages
            for shelf in self._pool.idle.values()
            for worker in shelf
        )

    def _is_served(self, language: str) -> bool:
        """Whether some worker may yet run this language."""
        return any(
            language in worker.host.languages
            for worker in self._pool
            if worker.state is not State.SHUTDOWN and not worker.retiring
        )

    def _choose(self, language: str) -> Worker:
        """An idle worker armed for the language, or the cheapest that can be armed for it."""
        idle = self._pool.idle
        shelf = idle.get(language)
        if shelf is not None:
            return shelf.next()
        spare = sorted(
            idle, key=lambda name: len(idle[name]) - self.wanted.get(name, 0), reverse=True
        )
        for name in spare:
            for worker in idle[name]:
                if language in worker.host.languages:
                    return worker
        raise AssertionError(f"popped {language}, which no idle worker can run")

    def _lease(self, execution: Execution, worker: Worker, now: float) -> None:
        submit = execution.submit
        warm = worker.language == submit.language
        self._pool.move(worker, Cause.LEASED, now)
        worker.language = submit.language
        worker.execution = execution
        worker.leased_at = now
        bound = now + submit.wall_limit_s + COMPILE_LIMITS.wall_s + OVERRUN_MARGIN_S
        worker.overdue_at = bound
        self._release(execution)
        program, execution.program = execution.program, b""
        execution.phase = Phase.RUNNING
        execution.worker = worker
        execution.leased_at = now
        execution.warm = warm
        wait_s = now - execution.arrived_at
        figures = self._figures.language(submit.language)
        if warm:
            figures.warm += 1
        else:
            figures.cold += 1
        figures.wait.observe(wait_s)
        figures.waits.observe(wait_s, now)
        assert worker.peer is not None
        send = self._outbox.send
        send(
            worker.peer,
            Lease(
                submit.execution_id,
                submit.language,
                submit.streaming,
                submit.window_bytes,
                submit.trace,
                min(submit.piece_bytes, MAX_OUTPUT_BYTES),
                submit.widest_window_bytes,
            ),
            program,
        )
        if submit.streaming:
            send(execution.gateway, Started(submit.execution_id, worker.worker_id, wait_s, warm))
        if execution.held:
            for message, payload in execution.held:
                send(worker.peer, message, payload)
            execution.held = []

    # --- taking in ---------------------------------------------------------------------------

    def _is_sound(self, submit: Submit) -> bool:
        return (
            0 < len(submit.execution_id) <= MAX_ID_CHARS
            # A gateway's ids are unique for ever: this one is broken, or guesses another's.
            and submit.execution_id not in self._executions
            and submit.execution_id not in self._ended
            and len(submit.tenant) <= MAX_ID_CHARS
            and len(submit.client_key) <= MAX_ID_CHARS
            and len(submit.cache_key) <= MAX_ID_CHARS
            and submit.window_bytes > 0
            and submit.piece_bytes > 0
            and submit.wall_limit_s > 0
        )

    def _refusal(self, execution: Execution) -> Refused | None:
        submit = execution.submit
        execution_id = submit.execution_id
        if self.draining:
            return Refused(
                execution_id, Reason.UNAVAILABLE, "the coordinator is draining", RETRY_AFTER_S
            )
        if submit.language not in self.versions:
            message = f"no worker host runs {submit.language[:32]!r} now"
            return Refused(execution_id, Reason.UNAVAILABLE, message, 1.0)
        settings = self._settings
        if self._held >= settings.max_queued or (
            self._held_bytes + len(execution.program) > MAX_WAITING_BYTES
        ):
            return self._full(execution, f"{self._held} requests wait already")
        if self._held_by_tenant[submit.tenant] >= settings.max_queued_per_tenant:
            held = self._held_by_tenant[submit.tenant]
            return self._full(execution, f"{held} of your requests wait already")
        if submit.deadline_s > 0 and self.queue.depth:
            least_s = self._least_wait(submit)
            if least_s > HOPELESS * submit.deadline_s:
                message = f"the queue is {least_s:.1f} s long, the deadline {submit.deadline_s:g} s"
                return Refused(execution_id, Reason.DEADLINE_EXCEEDED, message, least_s)
        return None

    def _full(self, execution: Execution, message: str) -> Refused:
        retry_s = max(0.1, min(60.0, self._least_wait(execution.submit)))
        return Refused(execution.submit.execution_id, Reason.RESOURCE_EXHAUSTED, message, retry_s)

    def _least_wait(self, submit: Submit) -> float:
        """What its own tenant's line takes if all workers served nothing else, in seconds.

        0 where no request of this language has ended yet: a guess is no ground to refuse on.
        """
        ahead = self.queue.ahead(submit.language, submit.tenant)
        cost_s = self._figures.language(submit.language).occupied_mean_s
        return ahead * cost_s / self._settings.max_workers

    def _is_answered(self, execution: Execution, now: float) -> bool:
        """Answer from what is kept, or follow an identical one; else lead the way."""
        submit = execution.submit
        if submit.cache_key and self._results.is_on:
            tenant = "" if self._settings.cache_shared else submit.tenant
            versions = self.versions[submit.language]
            execution.result_key = (tenant, submit.cache_key, submit.language, versions)
            execution.flight = ("result", *execution.result_key)
        if submit.client_key:
            execution.flight = ("id", submit.tenant, submit.client_key)
            execution.digest = hashlib.blake2b(execution.program, digest_size=16).digest()
            kept = self._remembered.get(execution.flight)
            leader = self._flights.leader(execution.flight)
            known = kept.digest if kept else leader.digest if leader else execution.digest
            if known != execution.digest:
                self._refuse(
                    execution,
                    Reason.ALREADY_EXISTS,
                    f"execution_id {submit.client_key!r} was used for another program",
                    now,
                )
                return True
            if kept is not None:
                self._begin_replay(execution, kept, now)
                return True
        if execution.result_key is not None:
            kept = self._results.get(execution.result_key)
            if kept is not None:
                self._figures.cache_hits += 1
                self._begin_replay(execution, kept, now)
                return True
        if execution.flight is None:
            return False
        if self._flights.leader(execution.flight) is not None:
            execution.phase = Phase.FOLLOWING
            self._flights.follow(execution.flight, execution)
            return True
        self._flights.lead(execution.flight, execution)
        return False

    def _enqueue(self, execution: Execution, now: float) -> None:
        execution.phase = Phase.WAITING
        if execution.result_key is not None:
            self._figures.cache_misses += 1
        if execution.flight is not None:
            execution.recording = Recording(self._budget)
        self._figures.language(execution.submit.language).arrived(now)
        self.queue.push(execution.waiting)

    def _tell_position(self, execution: Execution) -> None:
        execution.position = self.queue.depth - 1
        execution.served_before = self._served
        self._outbox.send(
            execution.gateway, Queued(execution.submit.execution_id, execution.position)
        )
        if execution.position:
            if len(self._told) > 2 * self._held + POSITIONS_A_TICK:
                self._told = deque(one for one in self._told if one.phase is Phase.WAITING)
            self._told.append(execution)

    def _pass_in(self, execution: Execution, message: Message, data: Payload, now: float) -> None:
        if execution.phase is Phase.RUNNING:
            self._to_worker(execution, message, data)
        elif execution.phase in (Phase.WAITING, Phase.FOLLOWING):
            if len(execution.held) >= MAX_HELD_MESSAGES:
                self._figures.dropped["window"] += 1
                self._fail(execution, Reason.INTERNAL, "too much before the start", now)
                return
            execution.held.append((message, data))
            execution.held_bytes += len(data)
            self._held_bytes += len(data)

    def _to_worker(self, execution: Execution, message: Message, data: Payload) -> None:
        assert execution.worker is not None
        if execution.worker.peer is not None:
            self._outbox.send(execution.worker.peer, message, data)

    # --- ending ------------------------------------------------------------------------------

    def _owned(self, gateway: Peer, execution_id: str) -> Execution | None:
        execution = self._executions.get(execution_id)
        if execution is None:
            return None
        if execution.gateway is not gateway:
            self._figures.dropped["not_owned"] += 1
            return None
        return execution

    def _kill(self, execution: Execution, reason: str, now: float) -> None:
        """Have the worker end a RUNNING execution; its Finished will come."""
        worker = execution.worker
        assert worker is not None
        if not execution.cancelled:
            execution.cancelled = True
            worker.overdue_at = min(worker.overdue_at, now + CANCEL_GRACE_S)
            self._to_worker(execution, Cancel(execution.submit.execution_id, reason), b"")

    def _fail(self, execution: Execution, reason: Reason, message: str, now: float) -> None:
        """End it with an error, wherever it stands."""
        if execution.phase is Phase.RUNNING:
            self._kill(execution, message, now)
        else:
            self._withdraw(execution)
        self._refuse(execution, reason, message, now)

    def _refuse(
        self,
        execution: Execution,
        reason: Reason,
        message: str,
        now: float,
        retry_after_s: float = 0.0,
    ) -> None:
        self._figures.refused[reason] += 1
        self._outbox.send(
            execution.gateway,
            Refused(execution.submit.execution_id, reason, message, retry_after_s),
        )
        self._end(execution, None, now)

    def _finish_unrun(self, execution: Execution, now: float) -> None:
        """Cancelled before a program ran for it."""
        self._withdraw(execution)
        message = "cancelled before it started"
        self._outbox.send(
            execution.gateway,
            Finished(
                execution_id=execution.submit.execution_id,
                verdict=Verdict.CANCELLED,
                exit_code=-1,
                signal=0,
                message=message,
                cpu_user_s=0.0,
                cpu_system_s=0.0,
                wall_s=0.0,
                peak_memory_bytes=0,
                compile_s=0.0,
                output_truncated=False,
                compile_cache_hit=False,
                queue_wait_s=now - execution.arrived_at,
            ),
        )
        self._end(execution, None, now)

    def _abandon(self, execution: Execution, reason: str, now: float) -> None:
        """End it without a word: nobody is there to hear."""
        if execution.phase is Phase.RUNNING:
            self._kill(execution, reason, now)
        else:
            self._withdraw(execution)
        self._end(execution, None, now)

    def _withdraw(self, execution: Execution) -> None:
        """Take it out of the queue, where it stands in it."""
        if execution.waiting.number:
            self.queue.remove(execution.waiting)

    def _end(self, execution: Execution, result: Result | None, now: float) -> None:
        """The one place where an execution is over for its gateway."""
        execution_id = execution.submit.execution_id
        phase, execution.phase = execution.phase, Phase.ENDED
        if phase in (Phase.WAITING, Phase.FOLLOWING):
            self._release(execution)
        del self._executions[execution_id]
        self._ended[execution_id] = None
        if len(self._ended) > ENDED_IDS:
            self._ended.popitem(last=False)
        of_gateway = self._by_gateway[execution.gateway]
        del of_gateway[execution_id]
        if not of_gateway:
            del self._by_gateway[execution.gateway]
        if execution.submit.deadline_s > 0:
            self._deadlines.clear(execution_id)
        execution.program = b""
        execution.held = []
        execution.replay.clear()
        execution.replay_result = None
        if execution.recording is not None:
            execution.recording.drop()
            execution.recording = None
        key, execution.flight = execution.flight, None
        if key is None or phase is Phase.REPLAYING:
            return
        if phase is Phase.FOLLOWING:
            self._flights.leave(key, execution)
        elif self._flights.leader(key) is execution:
            self._land(key, result, now)

    def _land(self, key: tuple[object, ...], result: Result | None, now: float) -> None:
        """The leader ended: its followers get its answer, or one of them runs."""
        if result is None or not _answers(key, result):
            successor = self._flights.succeed(key)
            if successor is not None:
                self._enqueue(successor, now)
                self.dispatch(now)
            return
        for follower in self._flights.land(key):
            follower.flight = None
            self._figures.shared_runs += 1
            self._figures.cache_hits += follower.result_key is not None
            self._begin_replay(follower, result, now)

    def _hold(self, execution: Execution) -> None:
        self._held += 1
        self._held_bytes += execution.held_bytes
        self._held_by_tenant[execution.submit.tenant] += 1

    def _release(self, execution: Execution) -> None:
        tenant = execution.submit.tenant
        self._held -= 1
        self._held_bytes -= execution.held_bytes
        execution.held_bytes = 0
        self._held_by_tenant[tenant] -= 1
        if not self._held_by_tenant[tenant]:
            del self._held_by_tenant[tenant]

    # --- telling results again ---------------------------------------------------------------

    def _keep(self, execution: Execution, result: Result) -> None:
        flight = execution.flight
        if execution.submit.client_key and flight is not None and _answers(flight, result):
            self._remembered.put(flight, result)
        if execution.result_key is not None and result.finished.verdict == Verdict.OK:
            self._results.put(execution.result_key, result)
            self._figures.cache_entries = len(self._results)
            self._figures.cache_bytes = self._results.size_bytes

    def _begin_replay(self, execution: Execution, result: Result, now: float) -> None:
        self._release(execution)
        execution.program = b""
        execution.held = []
        execution.phase = Phase.REPLAYING
        execution.replay_result = result
        submit = execution.submit
        if submit.streaming and result.size_bytes > submit.window_bytes:
            execution.replay.extend(result.records)
            self._replay(execution, now)
        else:
            self._finish_replay(execution, result, result.payload(), now)

    def _replay(self, execution: Execution, now: float) -> None:
        """Send as much as the window allows, and the end after the last of it."""
        result = execution.replay_result
        assert result is not None
        room = execution.submit.window_bytes - execution.unacknowledged
        while execution.replay and room > 0:
            stream, data = execution.replay.popleft()
            piece, rest = data[:room], data[room:]
            piece, rest = piece[:MAX_CHUNK_BYTES], piece[MAX_CHUNK_BYTES:] + rest
            if rest:
                execution.replay.appendleft((stream, rest))
            room -= len(piece)
            execution.unacknowledged += len(piece)
            self._outbox.send(
                execution.gateway, Output(execution.submit.execution_id, stream), piece
            )
        if not execution.replay:
            self._finish_replay(execution, result, b"", now)

    def _finish_replay(
        self, execution: Execution, result: Result, payload: Payload, now: float
    ) -> None:
        original = result.finished
        self._figures.output_bytes += result.size_bytes
        stamps: tuple[tuple[str, float], ...] = ()
        if execution.submit.trace:
            stamps = (
                ("coordinator.received", execution.arrived_at),
                ("coordinator.finished", now),
            )
        self._outbox.send(
            execution.gateway,
            Finished(
                execution.submit.execution_id,
                original.verdict,
                original.exit_code,
                original.signal,
                original.message,
                original.cpu_user_s,
                original.cpu_system_s,
                original.wall_s,
                original.peak_memory_bytes,
                original.compile_s,
                original.output_truncated,
                original.compile_cache_hit,
                stamps,
                True,
                now - execution.arrived_at,
                original.worker_id,
                original.warm,
            ),
            payload,
        )
        self._told_result(execution, now)
        self._end(execution, None, now)

    def _told_result(self, execution: Execution, now: float) -> None:
        self._figures.executions += 1
        self._figures.latency.observe(now - execution.arrived_at, now)

    def _clock(self) -> float:
        return self._outbox.now

    def unacknowledged(self) -> dict[str, int]:
        """Bytes under way to gateways, by execution."""
        return {name: execution.unacknowledged for name, execution in self._executions.items()}

    def leftovers(self) -> dict[str, int]:
        """What is held for executions, where it is anything."""
        held = {
            "executions": len(self._executions),
            "gateways": len(self._by_gateway),
            "held": self._held,
            "held_bytes": self._held_bytes,
            "tenants": len(self._held_by_tenant),
            "deadlines": len(self._deadlines),
            "flights": len(self._flights),
            "recorded_bytes": self._budget.held_bytes,
        }
        return {name: count for name, count in held.items() if count}

    def check(self) -> None:
        """Assert what must always hold."""
        self.queue.check()
        self._flights.check()
        live = self._executions.values()
        held = [e for e in live if e.phase in (Phase.WAITING, Phase.FOLLOWING)]
        assert self._held == len(held)
        assert self._held_bytes == sum(e.held_bytes for e in held)
        assert self._held_by_tenant == Counter(e.submit.tenant for e in held)
        assert sum(map(len, self._by_gateway.values())) == len(live)
        assert self.queue.depth == sum(e.phase is Phase.WAITING for e in live)
        recorded = 0
        for execution in live:
            assert execution.phase is not Phase.ENDED
            assert (execution.worker is not None) == (execution.phase is Phase.RUNNING)
            assert bool(execution.waiting.number) == (execution.phase is Phase.WAITING)
            if execution.worker is not None:
                assert execution.worker.execution is execution
            if execution.recording is not None:
                recorded += execution.recording.size_bytes
        assert self._budget.held_bytes == recorded
        # Work-conserving: nobody waits while somebody who could serve it is idle, unless as many
        # workers arm for it already. When those take too long is known at the next turn.
        for language, depth in self.queue.depths().items():
            if depth > self._pool.arming(language, -math.inf):
                assert not self._is_spared(language), language
            assert not depth or language not in self._pool.idle, language


def _answers(key: tuple[object, ...], result: Result) -> bool:
    """Whether this result is an answer to all who fly for this key."""
    verdict = result.finished.verdict
    if key[0] == "id":
        return verdict not in (Verdict.CANCELLED, Verdict.SYSTEM_ERROR)
    return verdict == Verdict.OK


def _followers_first(executions: dict[str, Execution]) -> list[Execution]:
    """To end many: a leader that ends before its followers would have one of them run."""
    return sorted(executions.values(), key=lambda one: one.phase is not Phase.FOLLOWING)
