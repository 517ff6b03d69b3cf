"""Gateways, hosts and workers in simulated time, built on the real ones' pure parts.

A worker's program is a plan made of random numbers; its loop follows worker/loop.py. A caller
reads, writes, cancels and gives up as it likes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.simulation.ledger import Broken

from dcodex_gateway.exchange import Chunk, Exchange
from dcodex_gateway.session import Session, State, Step
from dcodex_shared.errors import Rejected
from dcodex_shared.limits import STDIN_WINDOW_BYTES
from dcodex_shared.messages import (
    Arm,
    Cancel,
    Credit,
    Finished,
    Goodbye,
    Heartbeat,
    Hello,
    HostState,
    LanguageList,
    Lease,
    Message,
    Output,
    Queued,
    Ready,
    Refused,
    Retire,
    Role,
    Started,
    StartWorker,
    Stdin,
    StdinCredit,
    StopWorker,
    Submit,
    Verdict,
    WatchFarm,
    Welcome,
    WorkerExited,
)
from dcodex_shared.program import pack_records
from dcodex_worker.crew import Ask, Bury, Command, Crew, Fork, Kill
from dcodex_worker.presence import Presence
from dcodex_worker.presence import State as Standing

if TYPE_CHECKING:
    from tests.simulation.network import Connection
    from tests.simulation.world import World

LANGUAGES = ("c", "cpp", "python")
WALL_LIMIT_S = 2.0
#: By tenant: usual, heavier, and far below what a token may say.
TENANT_WEIGHTS = {"a": 1.0, "b": 3.0, "c": 1e-9}


class Request:
    """One caller's request, and how often it was told an end."""

    __slots__ = ("cancelled", "ends", "exchange", "execution_id", "stdin_left")

    def __init__(self, execution_id: str, exchange: Exchange | None, stdin_left: int) -> None:
        self.execution_id = execution_id
        #: None: it is unary.
        self.exchange = exchange
        self.stdin_left = stdin_left
        self.ends = 0
        self.cancelled = False


class Gateway:
    """A gateway and its callers."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name
        self._rate = world.random.choice([2.0, 10.0, 40.0])
        self._count = 0
        #: Only the last of these counts.
        self._beats = 0
        self._lives = 0
        self._start()

    def _start(self) -> None:
        self._lives += 1
        self._up = True
        self._session = Session()
        self._connection: Connection | None = None
        self._offered: tuple[tuple[str, str], ...] = ()
        self._requests: dict[str, Request] = {}
        self._ended: list[Request] = []
        life = self._lives
        self._connect(life)
        self._arrivals(life)

    def crash(self) -> None:
        """It is gone with all its callers, and another one comes."""
        if not self._up:
            return
        self._up = False
        if self._connection is not None:
            self._connection.cut()
        self._lives += 1
        self._beats += 1
        self._requests = {}
        self._ended = []
        self._connection = None
        self._world.clock.after(self._world.random.expovariate(1.0), self._start)

    def waiting(self) -> list[str]:
        """Requests that were not told their end yet."""
        return sorted(self._requests)

    def check_ended(self) -> None:
        """Every request was told exactly one end."""
        for request in self._ended:
            if request.ends != 1:
                raise Broken(f"{self._name}: {request.execution_id} ended {request.ends} times")

    # --- the connection ----------------------------------------------------------------------

    def _connect(self, life: int) -> None:
        if life != self._lives or self._session.state is not State.CONNECTING:
            return
        connection = self._world.connect(self)
        if connection is None:
            self._world.clock.after(0.1, lambda: self._connect(life))
            return
        self._connection = connection
        self._do(self._session.connected(self._world.clock.now))
        self._beat()

    def _beat(self) -> None:
        """Look after the session now, and again when it asks for it."""
        self._beats += 1
        beat = self._beats
        self._do(self._session.expire(self._world.clock.now))
        due = self._session.next_deadline()
        if due is not None and beat == self._beats:
            self._world.clock.at(due, lambda: self._beat_again(beat))

    def _beat_again(self, beat: int) -> None:
        if beat == self._beats:
            self._beat()

    def broken(self) -> None:
        """The connection broke."""
        self._do(self._session.disconnected(self._world.clock.now))

    def _do(self, step: Step | None) -> None:
        match step:
            case Step.GREET:
                self._send(Hello(Role.GATEWAY, self._name))
            case Step.BEAT:
                self._send(Heartbeat())
            case Step.UP:
                if self._world.random.random() < 0.3:
                    self._send(WatchFarm(True))
            case Step.LOST:
                if self._connection is not None:
                    self._connection.cut()
                    self._connection = None
                self._offered = ()
                requests, self._requests = self._requests, {}
                for request in requests.values():
                    self._world.tally.lost += 1
                    self._end(request)
                self._beat()
            case Step.REOPEN:
                self._connect(self._lives)
            case None:
                pass

    def _send(self, message: Message, payload: bytes = b"") -> None:
        if self._connection is not None:
            self._connection.send_up(message, payload)
            self._session.sent(self._world.clock.now)

    def receive(self, message: Message, payload: bytes) -> None:
        """A message from the coordinator."""
        step = self._session.receive(message, self._world.clock.now)
        if step is not None:
            self._do(step)
            return
        match message:
            case LanguageList(languages=languages):
                self._offered = languages
            case Output() | Finished() | Started() | StdinCredit() | Queued() | Refused():
                request = self._requests.get(message.execution_id)
                if request is None:
                    return
                if isinstance(message, Finished | Refused):
                    del self._requests[message.execution_id]
                if request.exchange is None:
                    if isinstance(message, Finished | Refused):
                        self._end(request)
                    return
                request.exchange.receive(message, payload)
                self._pump(request)

    # --- callers -----------------------------------------------------------------------------

    def _arrivals(self, life: int) -> None:
        world = self._world
        if life != self._lives or not world.stormy:
            return
        if self._session.state is State.UP and self._offered:
            self._ask()
        world.clock.after(world.random.expovariate(self._rate), lambda: self._arrivals(life))

    def _ask(self) -> None:
        random = self._world.random
        self._count += 1
        execution_id = f"{self._name}.{self._lives}.{self._count}"
        streaming = random.random() < 0.5
        complete = not streaming or random.random() < 0.5
        window = random.choice([10, 100, 1000])
        widest = window * random.choice([0, 1, 3])
        same = random.randrange(5)
        tenant = random.choice("abc")
        submit = Submit(
            execution_id=execution_id,
            tenant=tenant,
            language=random.choice(self._offered)[0],
            priority=random.randrange(2),
            deadline_s=random.choice([0.0, 0.0, 0.05, 0.5, 5.0]),
            streaming=streaming,
            window_bytes=window,
            wall_limit_s=WALL_LIMIT_S,
            cache_key=bytes([same]) if complete and random.random() < 0.3 else b"",
            client_key=f"mine{same}" if random.random() < 0.1 else "",
            trace=random.random() < 0.1,
            tenant_weight=TENANT_WEIGHTS[tenant],
            widest_window_bytes=widest,
        )
        wider = iter([max(0, widest - window)])
        exchange = (
            Exchange(execution_id, window, complete, lambda: next(wider, 0)) if streaming else None
        )
        stdin_left = 0 if complete else random.choice([0, 100, 2 * STDIN_WINDOW_BYTES])
        request = Request(execution_id, exchange, stdin_left)
        self._requests[execution_id] = request
        self._send(submit, bytes([same]) * random.randrange(100))
        if random.random() < 0.1:
            patience = random.expovariate(5.0)
            self._world.clock.after(patience, lambda: self._give_up(request))
        if exchange is not None:
            self._write(request)

    def _give_up(self, request: Request) -> None:
        if self._requests.pop(request.execution_id, None) is None:
            return
        if request.exchange is None:
            self._send(Cancel(request.execution_id, "impatient"))
        else:
            request.exchange.cancel("impatient")
            self._pump(request)
        self._end(request)

    def _write(self, request: Request) -> None:
        exchange, random = request.exchange, self._world.random
        assert exchange is not None
        if request.execution_id not in self._requests:
            return
        if request.stdin_left > 0 and not exchange.stdin_blocked:
            size = min(request.stdin_left, random.choice([1, 50, 40_000]))
            request.stdin_left -= size
            exchange.push_stdin(b"i" * size)
        elif request.stdin_left == 0 and not exchange.stdin_blocked:
            request.stdin_left = -1
            exchange.close_stdin()
        if random.random() < 0.05:
            exchange.signal(random.randint(1, 31))
        self._pump(request)
        if request.stdin_left >= 0:
            self._world.clock.after(random.expovariate(20.0), lambda: self._write(request))

    def _pump(self, request: Request) -> None:
        exchange = request.exchange
        assert exchange is not None
        while (event := exchange.next_event()) is not None:
            match event:
                case Chunk(size=size):
                    # A caller that reads when it likes, or never.
                    pause = self._world.random.choice([0.0, 0.0, 0.01, 1.0])
                    self._world.clock.after(pause, partial(self._took, request, size))
                case Finished() | Rejected():
                    self._end(request)
                case _:
                    pass
        for message, payload in exchange.take_commands():
            self._send(message, payload)

    def _took(self, request: Request, size: int) -> None:
        assert request.exchange is not None
        if request.execution_id in self._requests:
            request.exchange.took(size)
            self._pump(request)

    def _end(self, request: Request) -> None:
        request.ends += 1
        if request.ends > 1:
            raise Broken(f"{request.execution_id} was told a second end")
        if self._world.stormy is False or len(self._ended) < 1000:
            self._ended.append(request)


class Host:
    """A machine with workers."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name
        self._lives = 0
        self.workers: dict[str, Worker] = {}
        self._start()

    def _start(self) -> None:
        self._lives += 1
        self._up = True
        self._crew = Crew(self._world.random.choice([3, 6]))
        self._languages = tuple(
            (name, "1")
            for name in LANGUAGES
            if name == "python" or self._world.random.random() < 0.7
        )
        self._draining = False
        self._connection: Connection | None = None
        self._connect(self._lives)

    def crash(self) -> None:
        """The machine is gone, its workers with it; it comes back."""
        if not self._up:
            return
        self._up = False
        self._lives += 1
        if self._connection is not None:
            self._connection.cut()
            self._connection = None
        for worker in list(self.workers.values()):
            worker.vanish()
        self.workers = {}
        self._world.clock.after(self._world.random.expovariate(0.5), self._start)

    def drain(self) -> None:
        """The operator stops it, and starts it again when it is empty."""
        if self._connection is None or self._draining or not self._up:
            return
        self._draining = True
        self._crew.drain()
        self._tell()
        life = self._lives
        self._world.clock.after(3.0, lambda: self._end(life))

    def _end(self, life: int) -> None:
        if life == self._lives:
            self._send(Goodbye("drained"))
            self.crash()

    def _connect(self, life: int) -> None:
        if life != self._lives or self._connection is not None:
            return
        self._presence = Presence(self._world.clock.now)
        self._connection = self._world.connect(self)
        if self._connection is None:
            self._world.clock.after(0.1, lambda: self._connect(life))
            return
        self._presence.connected(self._world.clock.now)
        self._send(Hello(Role.HOST, self._name))
        self._tick(life, self._connection)

    def _tick(self, life: int, connection: Connection) -> None:
        if life != self._lives or connection is not self._connection:
            return
        now = self._world.clock.now
        self._presence.expire(now)
        if self._presence.state is Standing.LOST:
            self.broken()
            return
        if self._presence.state is Standing.MET:
            self._tell()
        else:
            self._send(Heartbeat())
        self._world.clock.after(1.0, lambda: self._tick(life, connection))

    def _tell(self) -> None:
        memory = 1 << 36
        self._send(HostState(self._languages, 6, memory, 0.1, 0.0, 1.0, draining=self._draining))

    def broken(self) -> None:
        """The connection broke: whoever worked for that coordinator works for nobody."""
        if self._connection is None:
            return
        self._connection.cut()
        self._connection = None
        self._perform(self._crew.stop_all("the coordinator is lost"))
        life = self._lives
        self._world.clock.after(0.2, lambda: self._connect(life))

    def _send(self, message: Message) -> None:
        if self._connection is not None:
            self._connection.send_up(message)
            self._presence.sent(self._world.clock.now)

    def receive(self, message: Message, payload: bytes) -> None:
        """A message from the coordinator."""
        if self._connection is None:
            return
        self._presence.heard(message, self._world.clock.now)
        if self._presence.state is Standing.LOST:
            self.broken()
            return
        match message:
            case Welcome():
                self._tell()
            case StartWorker(worker_id=worker_id, language=language):
                self._perform(self._crew.start(worker_id, language))
            case StopWorker(worker_id=worker_id):
                self._perform(self._crew.stop(worker_id, "stopped"))
            case _:
                pass

    def _perform(self, commands: list[Command]) -> None:
        world = self._world
        for command in commands:
            match command:
                case Fork(worker_id=worker_id, language=language):
                    delay_s = world.random.expovariate(50.0)
                    world.clock.after(
                        delay_s, partial(self._born, self._lives, worker_id, language)
                    )
                case Kill(worker_id=worker_id):
                    if worker_id in self.workers:
                        self.workers[worker_id].crash()
                case Bury(worker_id=worker_id, reason=reason):
                    self._send(WorkerExited(worker_id, reason))
                case Ask():
                    pass

    def _born(self, life: int, worker_id: str, language: str) -> None:
        if life != self._lives:
            return
        commands = self._crew.born(worker_id)
        self.workers[worker_id] = Worker(self._world, self, worker_id, language)
        self._perform(commands)

    def died(self, worker: Worker, worker_id: str) -> None:
        """A worker process ended."""
        if self.workers.get(worker_id) is worker:
            del self.workers[worker_id]
            self._perform(self._crew.died(worker_id, "it ended"))


class Worker:
    """A worker process."""

    def __init__(self, world: World, host: Host, worker_id: str, language: str) -> None:
        self._world = world
        self._host = host
        self._id = worker_id
        self._language = language
        self._armed = False
        self._run: Run | None = None
        self._alive = True
        self._retiring = False
        #: Grows with every lease and arming: what was planned before is off.
        self._epoch = 0
        self._presence = Presence(world.clock.now)
        self._connection = world.connect(self)
        if self._connection is None:
            world.clock.after(0.0, self.crash)
            return
        self._presence.connected(world.clock.now)
        self._send(Hello(Role.WORKER, worker_id))
        self._tick()

    def vanish(self) -> None:
        """It is gone, and nobody is left to tell."""
        self._alive = False
        if self._connection is not None:
            self._connection.cut()

    def crash(self) -> None:
        """kill -9."""
        if self._alive:
            self.vanish()
            self._world.clock.after(0.005, lambda: self._host.died(self, self._id))

    def broken(self) -> None:
        """The connection broke."""
        self.crash()

    def _tick(self) -> None:
        if not self._alive:
            return
        now = self._world.clock.now
        self._presence.expire(now)
        if self._presence.state is Standing.LOST:
            self.crash()
            return
        if self._presence.wants_beat(now):
            self._send(Heartbeat())
        self._world.clock.after(1.0, self._tick)

    def _send(self, message: Message, payload: bytes = b"") -> None:
        if self._connection is not None:
            self._connection.send_up(message, payload)
            self._presence.sent(self._world.clock.now)

    def receive(self, message: Message, payload: bytes) -> None:
        """A message from the coordinator."""
        if not self._alive:
            return
        was = self._presence.state
        self._presence.heard(message, self._world.clock.now)
        if self._presence.state is Standing.LOST:
            self.crash()
            return
        match message:
            case Welcome() if was is not Standing.MET:
                self._arm(self._language)
            case Lease() if self._run is None and self._armed:
                self._lease(message)
            case Arm(language=language) if self._run is None:
                self._arm(language)
            case Retire():
                self._retiring = True
                if self._run is None:
                    self._leave()
                else:
                    self._finish(self._run, Verdict.CANCELLED)
            case Credit() | Stdin() | Cancel():
                run = self._run
                if run is not None and run.execution_id == message.execution_id:
                    self._take(run, message, len(payload))
            case _:
                pass

    def _take(self, run: Run, message: Credit | Stdin | Cancel, size: int) -> None:
        match message:
            case Credit(count=count):
                run.window += count
            case Stdin():
                pause = self._world.random.choice([0.0, 0.01, 5.0])
                self._world.clock.after(pause, lambda: self._read(run, size))
            case Cancel():
                self._world.clock.after(0.003, lambda: self._finish(run, Verdict.CANCELLED))

    def _leave(self) -> None:
        self._send(Goodbye("retired"))
        self._alive = False
        self._world.clock.after(0.005, lambda: self._host.died(self, self._id))

    def _arm(self, language: str) -> None:
        self._armed = False
        self._language = language
        self._epoch += 1
        epoch = self._epoch
        arming_s = 0.002 + self._world.random.expovariate(200.0)
        self._world.clock.after(arming_s, lambda: self._ready(epoch, arming_s))

    def _ready(self, epoch: int, arming_s: float) -> None:
        if self._alive and epoch == self._epoch:
            self._armed = True
            self._send(Ready(self._language, arming_s))

    def _lease(self, lease: Lease) -> None:
        self._armed = False
        self._epoch += 1
        self._language = lease.language
        self._run = Run(lease, self._world)
        if lease.streaming:
            self._write(self._run)
        else:
            run = self._run
            self._world.clock.after(run.lasts_s, lambda: self._finish(run, run.verdict))

    def _write(self, run: Run) -> None:
        """The program writes as far as its window lets it, then ends."""
        if self._run is not run or not self._alive:
            return
        if self._world.clock.now > run.began + WALL_LIMIT_S:
            self._finish(run, Verdict.WALL_LIMIT)
        elif run.left == 0:
            self._finish(run, run.verdict)
        else:
            size = min(run.left, run.window, self._world.random.choice([10, 100, 500]))
            if size:
                run.left -= size
                run.window -= size
                self._send(Output(run.execution_id, self._world.random.randrange(3)), b"o" * size)
            # Blocked on its pipe, it looks again now and then.
            pause_s = run.lasts_s / 5 if size else 0.1
            self._world.clock.after(pause_s, lambda: self._write(run))

    def _read(self, run: Run, size: int) -> None:
        if self._run is run and self._alive:
            self._send(StdinCredit(run.execution_id, size))

    def _finish(self, run: Run, verdict: Verdict) -> None:
        if self._run is not run or not self._alive:
            return
        tail = pack_records([(1, b"t" * min(run.left, 100))])
        now = self._world.clock.now
        self._send(
            Finished(
                execution_id=run.execution_id,
                verdict=verdict,
                exit_code=0,
                signal=0,
                message="",
                cpu_user_s=0.0,
                cpu_system_s=0.0,
                wall_s=now - run.began,
                peak_memory_bytes=1 << 20,
                compile_s=0.0,
                output_truncated=False,
                compile_cache_hit=False,
            ),
            tail,
        )
        self._run = None
        if self._retiring:
            self._leave()
        else:
            self._arm(self._language)


class Run:
    """One program's plan."""

    __slots__ = ("began", "execution_id", "lasts_s", "left", "verdict", "window")

    def __init__(self, lease: Lease, world: World) -> None:
        random = world.random
        self.execution_id = lease.execution_id
        self.window = lease.window_bytes
        self.began = world.clock.now
        self.left = random.choice([0, 20, 2000])
        self.lasts_s = random.expovariate(20.0)
        self.verdict = random.choice([Verdict.OK, Verdict.OK, Verdict.NONZERO_EXIT])
