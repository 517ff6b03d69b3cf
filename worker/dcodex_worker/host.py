"""The worker host: one process a machine, which starts and ends workers for the coordinator.

Theory of operation
-------------------
The host forks the nursery first, while it has neither threads nor sockets; then it starts the
warm templates, the metrics port and the link. Its loop performs what crew.py decides, tells
the coordinator once a second how the machine fares, and has the slot of every worker that died
cleaned before another one gets it.

A coordinator that is lost takes its workers with it: what they run nobody can be told of. The
host then looks for the next one with a new link, for as long as it takes.

The first SIGTERM or SIGINT drains: no new workers, what runs may finish within `drain_grace`.
A second one ends everything at once. If the host itself is killed, the kernel kills nursery,
workers, templates and sandboxes with it.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import select
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable

import zmq

from dcodex_shared import stopping
from dcodex_shared.config import WorkerSettings
from dcodex_shared.endpoints import prepare
from dcodex_shared.exposition import serve
from dcodex_shared.keys import ClientKeys, client_keys
from dcodex_shared.messages import (
    HEARTBEAT_S,
    Hello,
    HostState,
    Message,
    Retire,
    Role,
    StartWorker,
    StopWorker,
    WorkerExited,
)
from dcodex_worker import leftovers, pressure, reports, survey
from dcodex_worker.cleaner import Cleaner
from dcodex_worker.crew import Ask, Bury, Command, Crew, Fork, Kill
from dcodex_worker.link import Link
from dcodex_worker.metrics import Metrics
from dcodex_worker.nursery import Born, Died, Nursery, NurseryLost
from dcodex_worker.presence import State
from dcodex_worker.processes import set_name
from dcodex_worker.runtimes import Slot, Slots, Templates
from dcodex_worker.runtimes.slots import templates_directory
from dcodex_worker.sandbox.box import SetupError

log = logging.getLogger(__name__)

#: How long the coordinator may take to retire the workers of a draining host, or workers to
#: die when told to, before the host does it itself.
PATIENCE_S = 2.0
_NEVER = float("inf")


def run(settings: WorkerSettings) -> int:
    """Be this machine's host until told to end; returns the exit status."""
    # The survey makes directories and groups, and a child must not be told in the host's stead.
    stopping.hold()
    findings = survey.examine(settings)
    for finding in survey.missing(findings):
        log.error(
            "this machine cannot isolate programs lacks=%s found=%r do=%r",
            finding.name,
            finding.text,
            finding.remedy,
        )
    if survey.missing(findings):
        return 1
    for finding in survey.given_up(findings):
        log.warning("degraded: going on without guarantee=%s found=%r", finding.name, finding.text)
    degraded = tuple(finding.name for finding in survey.given_up(findings))
    keys = client_keys(settings.worker_endpoint, settings.key_file, settings.coordinator_key)
    prepare(settings.worker_endpoint, settings.insecure, keys is not None)
    set_name("dcodex-host")
    signals, told = socket.socketpair()
    report_in, report_out = reports.open_pipe()
    # First of all: from here on there will be threads.
    nursery = Nursery(settings, keys, report_out)
    try:
        for end in (signals, told):
            end.setblocking(False)
        signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
        # The loop hears of them through that descriptor.
        stopping.tell(lambda _: None)
        return _run(settings, keys, nursery, signals, report_in, degraded)
    finally:
        nursery.close()
        signal.set_wakeup_fd(-1)
        signals.close()
        told.close()
        os.close(report_in)
        os.close(report_out)


def _run(
    settings: WorkerSettings,
    keys: ClientKeys | None,
    nursery: Nursery,
    signals: socket.socket,
    report_fd: int,
    degraded: tuple[str, ...],
) -> int:
    leftovers.sweep(settings.runtime_dir, settings.cgroup_root)
    with contextlib.ExitStack() as stack:
        try:
            slots = Slots(settings)
            stack.callback(slots.close)
            claimed = leftovers.claim([path for _, path in slots.tree.directories])
            templates = Templates(settings)
            stack.callback(templates.close)
            templates.start()
        except SetupError as error:
            log.error("this machine cannot isolate programs error=%s", error)
            return 1
        claimed += leftovers.claim([templates_directory(settings)])
        for fd in claimed:
            stack.callback(os.close, fd)
        caretaker = Caretaker(templates)
        caretaker.start()
        stack.callback(caretaker.close)
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        stack.callback(context.term)
        name = settings.name or socket.gethostname()
        link = Link(context, settings.worker_endpoint, Hello(Role.HOST, name), keys)
        host = Host(settings, nursery, slots, templates, link, signals, report_fd)
        host.metrics.name_degraded(degraded)
        exposition = serve(
            "host", settings.metrics_host, settings.metrics_port, host.metrics.registry, host.ready
        )
        stack.callback(exposition.close)
        log.info("serving metrics host=%s port=%d", settings.metrics_host, exposition.port)
        return host.serve()


class Caretaker(threading.Thread):
    """Tends the templates apart from the loop: starting one takes seconds on a busy machine,

    in which a silent host would be taken for dead.
    """

    def __init__(self, templates: Templates) -> None:
        super().__init__(name="caretaker", daemon=True)
        self._templates = templates
        self._over = threading.Event()

    def run(self) -> None:
        """Look after them once a second."""
        while not self._over.wait(HEARTBEAT_S):
            try:
                self._templates.tend(time.monotonic())
            except Exception:
                log.exception("could not tend the templates")

    def close(self) -> None:
        """End, after what is under way."""
        self._over.set()
        self.join()


class Host:
    """The loop."""

    def __init__(
        self,
        settings: WorkerSettings,
        nursery: Nursery,
        slots: Slots,
        templates: Templates,
        link: Link,
        signals: socket.socket,
        report_fd: int,
    ) -> None:
        self._settings = settings
        self._nursery = nursery
        self._slots = slots
        self._templates = templates
        self._link = link
        self._signals = signals
        self._inbox = reports.Inbox(report_fd)
        self.metrics = Metrics()
        self._crew = Crew(settings.slots)
        #: What each worker in the crew holds; the pidfd from Born on.
        self._slot_of: dict[str, Slot] = {}
        self._pidfd_of: dict[str, int] = {}
        self._cleaner = Cleaner()
        #: Places that it has and has not given back.
        self._dirty = 0
        #: Workers whose fork waits for one of those, with their languages.
        self._unplaced: deque[tuple[str, str]] = deque()
        #: Whether this link's coordinator is known to be there.
        self._met = False
        #: When the next HostState is due.
        self._tick_at = 0.0
        #: While draining: when workers are asked to retire, and when they are killed.
        self._ask_at = self._kill_at = _NEVER

    def ready(self) -> bool:
        """Whether workers can be started here now."""
        return self._link.presence.state is State.MET and not self._crew.draining

    def serve(self) -> int:
        """Serve until drained; returns the exit status."""
        self._link.open(time.monotonic())
        self._cleaner.start()
        poller = select.poll()
        status = 0
        for fd in (self._nursery.fd, self._signals.fileno(), self._cleaner.fd):
            poller.register(fd, select.POLLIN)
        watched: set[int] = set()
        try:
            while not self._drained():
                wanted = {self._link.fd, self._link.monitor_fd}
                if self._inbox.awaited():
                    wanted.add(self._inbox.fd)
                for fd in watched ^ wanted:
                    if fd in watched:
                        poller.unregister(fd)
                    else:
                        poller.register(fd, select.POLLIN)
                watched = wanted
                now = time.monotonic()
                events = {fd for fd, _ in poller.poll(self._timeout_ms(now))}
                self._turn(events, time.monotonic())
        except NurseryLost as error:
            log.error("the nursery is lost and all workers with it reason=%s", error)
            status = 1
        finally:
            self._end(time.monotonic())
            self._link.close()
        return status

    def _turn(self, events: set[int], now: float) -> None:
        if self._link.monitor_fd in events:
            self._link.watch(now)
        if self._link.fd in events or self._link.pending():
            for message, _ in self._link.receive(now):
                self._handle(message, now)
        if self._nursery.fd in events:
            self._hear_nursery(now)
        if self._inbox.fd in events or now >= self._inbox.next_deadline():
            for report in self._inbox.take(now):
                self.metrics.take(report)
        if self._signals.fileno() in events:
            self._take_signals(now)
        if self._cleaner.fd in events:
            self._take_back(now)
        self._expire(now)
        if now >= self._tick_at:
            self._tick(now)
        self._link.tend(now)

    def _timeout_ms(self, now: float) -> int:
        if self._link.pending():
            return 0
        deadline = min(
            self._tick_at,
            self._ask_at,
            self._kill_at,
            self._inbox.next_deadline(),
            self._link.presence.next_deadline(),
        )
        return math.ceil(max(0.0, deadline - now) * 1000)

    def _handle(self, message: Message, now: float) -> None:
        match message:
            case StartWorker(worker_id=worker_id, language=language):
                self._perform(self._crew.start(worker_id, language), now)
            case StopWorker(worker_id=worker_id):
                self._perform(self._crew.stop(worker_id, "stopped by the coordinator"), now)
            case Retire(grace_s=grace_s):
                self._drain(min(grace_s, self._settings.drain_grace), now)
            case _:
                return

    def _hear_nursery(self, now: float) -> None:
        for event in self._nursery.news():
            match event:
                case Born(worker_id=worker_id, pid=pid, pidfd=pidfd):
                    log.info("started worker_id=%s pid=%d", worker_id, pid)
                    if pidfd >= 0:
                        self._pidfd_of[worker_id] = pidfd
                    self._perform(self._crew.born(worker_id), now)
                    if pidfd < 0:
                        log.error("no descriptor is left for a worker worker_id=%s", worker_id)
                        self._perform(self._crew.stop(worker_id, "no descriptor was left"), now)
                case Died(worker_id=worker_id, status=status):
                    self._perform(self._crew.died(worker_id, _words(status)), now)

    def _take_signals(self, now: float) -> None:
        for _ in self._signals.recv(64):
            if self._crew.draining:
                self._perform(self._crew.stop_all("the host ends"), now)
            else:
                self._drain(self._settings.drain_grace, now)

    def _drain(self, grace_s: float, now: float) -> None:
        if self._crew.draining:
            return
        log.info("draining workers=%d grace_s=%g", len(self._crew), grace_s)
        self._crew.drain()
        met = self._link.presence.state is State.MET
        # A coordinator that is there first stops to lease these workers, then retires them.
        self._ask_at = now + PATIENCE_S if met else now
        self._kill_at = now + grace_s + PATIENCE_S
        self._tick_at = now

    def _drained(self) -> bool:
        return self._crew.draining and not len(self._crew)

    def _expire(self, now: float) -> None:
        if self._link.lost:
            reason = self._link.presence.reason
            log.warning("the coordinator is lost reason=%r", reason)
            self._perform(self._crew.stop_all("the coordinator is lost"), now)
            self._link.reopen(now)
            self._met = False
        if not self._met and self._link.presence.state is State.MET:
            log.info("met the coordinator boot_id=%s", self._link.presence.boot_id)
            self._met = True
            self._tick_at = now
        if now >= self._ask_at:
            self._ask_at = _NEVER
            self._perform(self._crew.ask_all(), now)
        if now >= self._kill_at:
            self._kill_at = _NEVER
            self._perform(self._crew.stop_all("it did not end within the grace"), now)

    def _tick(self, now: float) -> None:
        self._tick_at = now + HEARTBEAT_S
        seen = pressure.look()
        self.metrics.show(len(self._crew), self._templates.restarts, self._link.malformed, seen)
        if self._met:
            state = HostState(
                languages=tuple(sorted(self._templates.languages)),
                slots=self._settings.slots,
                memory_available_bytes=seen.memory_available_bytes,
                cpu_pressure=seen.cpu,
                memory_pressure=seen.memory,
                load_average=seen.load_average,
                draining=self._crew.draining,
            )
            self._link.send(state, b"", now)

    def _perform(self, commands: Iterable[Command], now: float) -> None:
        for command in commands:
            match command:
                case Fork(worker_id=worker_id, language=language):
                    self._fork(worker_id, language, now)
                case Kill(worker_id=worker_id):
                    self._signal(worker_id, signal.SIGKILL)
                case Ask(worker_id=worker_id):
                    self._signal(worker_id, signal.SIGUSR1)
                case Bury(worker_id=worker_id, reason=reason):
                    self._bury(worker_id, reason)

    def _fork(self, worker_id: str, language: str, now: float) -> None:
        try:
            slot = self._slots.take()
        except SetupError as error:
            if self._dirty:
                self._unplaced.append((worker_id, language))
                return
            log.error("no slot for a worker worker_id=%s error=%s", worker_id, error)
            self._perform(self._crew.died(worker_id, "no slot could be set up"), now)
            return
        self._slot_of[worker_id] = slot
        self._nursery.order(worker_id, language, slot)

    def _signal(self, worker_id: str, number: signal.Signals) -> None:
        pidfd = self._pidfd_of.get(worker_id)
        if pidfd is None:
            self._nursery.kill(worker_id)
            return
        try:
            signal.pidfd_send_signal(pidfd, number)
        except ProcessLookupError:
            # Dead already; the nursery is about to say so.
            return

    def _bury(self, worker_id: str, reason: str) -> None:
        pidfd = self._pidfd_of.pop(worker_id, None)
        if pidfd is not None:
            os.close(pidfd)
        log.info("gone worker_id=%s reason=%r", worker_id, reason)
        # Told first: a caller waits for the news, and on a busy machine cleaning takes its time.
        if self._met:
            self._link.send(WorkerExited(worker_id, reason), b"", time.monotonic())
        slot = self._slot_of.pop(worker_id, None)
        if slot is not None:
            self._dirty += 1
            self._cleaner.put(slot)

    def _take_back(self, now: float) -> None:
        for slot in self._cleaner.take():
            self._dirty -= 1
            self._slots.give_back(slot)
            if self._unplaced:
                self._fork(*self._unplaced.popleft(), now)

    def _end(self, now: float) -> None:
        """Leave nothing: whoever is still in the table died with the nursery."""
        for worker_id in list(self._slot_of):
            self._perform(self._crew.died(worker_id, "the nursery is lost"), now)
        self._cleaner.close()
        self._link.leave("drained", now)


def _words(status: int) -> str:
    if status == -1:
        return "it could not be forked"
    if os.WIFSIGNALED(status):
        return f"ended by signal {os.WTERMSIG(status)}"
    return f"ended with status {os.WEXITSTATUS(status)}"
