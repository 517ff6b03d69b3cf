"""The coordinator without its sockets: messages and time in, messages out.

Theory of operation
-------------------
The shell calls receive() for each message, disconnected() when a peer turns out to be gone, and
expire() when next_deadline() has come; each returns the messages to send. All state is below:
who is connected (here), workers and hosts (supervisor.py, pool.py), executions (desk.py,
fair_queue.py), wishes (balancer.py), figures (figures.py). A message reaches the part it
concerns only if its sender's role may send it; all else is dropped and counted.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from dcodex_coordinator.balancer import Balancer, FarmLoad, LanguageLoad, mix
from dcodex_coordinator.desk import Desk, DeskSettings
from dcodex_coordinator.figures import Figures
from dcodex_coordinator.hosts import KNOWN
from dcodex_coordinator.outbox import Outbox, Peer, Send, Side
from dcodex_coordinator.pool import State, Worker, WorkerPool
from dcodex_coordinator.supervisor import Supervisor
from dcodex_coordinator.view import farm_view
from dcodex_shared.farm import FarmView, pack_farm
from dcodex_shared.messages import (
    HEARTBEAT_S,
    LOST_S,
    PROTOCOL_VERSION,
    SPOKEN_VERSIONS,
    Cancel,
    Credit,
    FarmState,
    Finished,
    Goodbye,
    Heartbeat,
    Hello,
    HostState,
    LanguageList,
    Message,
    Output,
    Payload,
    Ready,
    Role,
    Signal,
    Stdin,
    StdinClose,
    StdinCredit,
    Submit,
    WatchFarm,
    Welcome,
    WorkerExited,
)

log = logging.getLogger(__name__)

#: Silence is looked for, workers are started and re-armed this often.
TICK_S = 0.25
#: While requests wait, the balancer looks this often: well within the wait that it defends.
BALANCE_S = 0.05
#: A gateway that watches the farm hears of changes at most this often.
FARM_INTERVAL_S = 0.1
#: Connections on either side; a farm of this size has more than one coordinator.
MAX_PEERS = 4096
MAX_NAME_CHARS = 256
#: Lines about peers' faults; the rest is only counted.
LOGGED_A_SECOND = 10
#: When a turn comes this late we were stopped ourselves, and know nothing of others' silence.
PAUSE_S = 2 * HEARTBEAT_S
#: Some connection ended: who it was shows when everybody is sent a word, a moment later (the
#: transport tells us before it has let go of the peer), and not more often than this.
PROBE_DELAY_S = 0.01
PROBE_PAUSE_S = 0.1
#: A worker that is told to arm anew must be ready by then, in seconds.
REARM_BOUND_S = 30.0

_ROLES = {
    Side.GATEWAYS: frozenset({Role.GATEWAY}),
    Side.WORKERS: frozenset({Role.HOST, Role.WORKER}),
}


@dataclass(frozen=True, slots=True)
class MachineSettings:
    """What the operator sets."""

    #: New for every start of a coordinator.
    boot_id: str
    desk: DeskSettings
    min_workers: int
    max_workers: int
    #: The queue wait that the balancer defends, in seconds.
    defended_wait_s: float
    #: How long a peak is remembered, in seconds.
    cool_down_s: float
    #: The language that idle workers are armed for where nothing was asked for yet.
    favourite: str = "python"


class Machine:
    """All of the coordinator's decisions."""

    def __init__(self, settings: MachineSettings, now: float) -> None:
        self._settings = settings
        self._outbox = Outbox()
        self.figures = Figures()
        self._pool = WorkerPool()
        self._desk = Desk(settings.desk, self._outbox, self._pool, self.figures)
        self._supervisor = Supervisor(settings.boot_id, self._outbox, self._pool, self.figures)
        self._balancer = Balancer(
            settings.min_workers,
            settings.max_workers,
            settings.defended_wait_s,
            settings.cool_down_s,
        )
        #: Who said Hello, by side and routing id.
        self._peers: dict[Side, dict[bytes, Peer]] = {side: {} for side in Side}
        #: Gateways that want FarmState.
        self._watchers: dict[Peer, None] = {}
        #: Something that FarmState shows may have changed since the last one.
        self._farm_changed = False
        self._next_farm = now
        self._next_tick = now + TICK_S
        self._last_turn = now
        #: When to look who is gone; infinite while no connection has ended.
        self._probe_at = float("inf")
        self._probed_at = -float("inf")
        self._desired = settings.min_workers
        self._balanced_at = now
        #: Lines about peers' faults in the second that ends at _log_until.
        self._logged = 0
        self._log_until = now

    # --- the shell's side --------------------------------------------------------------------

    def receive(
        self, side: Side, routing_id: bytes, message: Message, payload: Payload, now: float
    ) -> list[Send]:
        """Take one message in; returns what is to be sent because of it."""
        self._turn(now)
        peer = self._peers[side].get(routing_id)
        if peer is None:
            self._receive_first(side, routing_id, message, now)
        else:
            peer.heard_at = now
            if type(message) is Hello:
                # It starts anew, so what it was before is over.
                self._drop(peer, now)
                self._receive_first(side, routing_id, message, now)
            elif type(message) is Goodbye:
                log.info("peer left peer=%r reason=%r", peer.name, message.reason)
                self._drop(peer, now)
            elif peer.role is Role.GATEWAY:
                self._from_gateway(peer, message, payload, now)
            elif peer.role is Role.WORKER:
                self._from_worker(peer, message, payload, now)
            else:
                self._from_host(peer, message, now)
        return self._outbox.take()

    def disconnected(self, side: Side, routing_id: bytes, now: float) -> list[Send]:
        """A message could not be sent: the peer is gone, or takes nothing any more."""
        self._turn(now)
        peer = self._peers[side].get(routing_id)
        if peer is not None:
            log.warning("peer lost peer=%r reason=unreachable", peer.name)
            self._drop(peer, now)
        return self._outbox.take()

    def shaken(self, now: float) -> None:
        """Some connection has ended; the shell cannot tell whose."""
        due = max(now + PROBE_DELAY_S, self._probed_at + PROBE_PAUSE_S)
        self._probe_at = min(self._probe_at, due)

    def expire(self, now: float) -> list[Send]:
        """Do what time asks for; call it when next_deadline() has come, or more often."""
        self._turn(now)
        self._desk.expire(now)
        if now >= self._probe_at:
            self._probe(now)
        if now >= self._next_tick:
            self._tick(now)
            self._next_tick = now + TICK_S
        elif self._desk.queue.depth and now >= self._balanced_at + BALANCE_S:
            self._balance(now)
        if self._farm_changed and self._watchers and now >= self._next_farm:
            self._publish(now)
        return self._outbox.take()

    def next_deadline(self) -> float:
        """When expire() next has something to do."""
        due = min(self._next_tick, self._probe_at)
        deadline = self._desk.next_deadline()
        if deadline is not None and deadline < due:
            due = deadline
        if self._desk.queue.depth and self._balanced_at + BALANCE_S < due:
            due = self._balanced_at + BALANCE_S
        if self._farm_changed and self._watchers and self._next_farm < due:
            due = self._next_farm
        return due

    def drain(self, now: float) -> list[Send]:
        """Take nothing new; what waits is refused, what runs goes on."""
        self._turn(now)
        self._desk.drain(now)
        return self._outbox.take()

    def is_quiet(self) -> bool:
        """Whether nothing runs any more."""
        return self._desk.is_quiet()

    def close(self, now: float) -> list[Send]:
        """Refuse what is left and take leave of everybody."""
        self._turn(now)
        self._desk.give_up(now)
        for peers in self._peers.values():
            for peer in peers.values():
                # All of its executions have been told their ends by now.
                self._outbox.send(peer, Goodbye("the coordinator is stopping", settled=True))
        return self._outbox.take()

    def is_ready(self) -> bool:
        """Whether a request would find a worker."""
        return not self._desk.draining and self._pool.live() > 0

    def count_dropped(self, reason: str) -> None:
        """The shell dropped a message that it could not read or send."""
        self.figures.dropped[reason] += 1

    def snapshot(self, now: float) -> FarmView:
        """Everything that is shown of the farm."""
        hosts = self._supervisor.hosts.values()
        return farm_view(self._pool, self._desk.queue, hosts, self.figures, now)

    def is_connected(self, side: Side, routing_id: bytes) -> bool:
        """Whether this peer said Hello and is still believed to be there."""
        return routing_id in self._peers[side]

    def peer_counts(self) -> dict[str, int]:
        """Connections by role."""
        counts = dict.fromkeys((role.name.lower() for role in Role), 0)
        for peers in self._peers.values():
            for peer in peers.values():
                counts[peer.role.name.lower()] += 1
        return counts

    def worker_counts(self) -> dict[tuple[str, str], int]:
        """Workers by state and language, zeros included."""
        counts = {(state.name.lower(), name): 0 for state in State for name in KNOWN}
        for worker in self._pool:
            counts[worker.state.name.lower(), worker.language] += 1
        return counts

    def queue_depths(self) -> dict[str, int]:
        """Waiting requests by language."""
        return self._desk.queue.depths()

    def oldest_waits(self) -> dict[str, float]:
        """Seconds that the oldest waiting request has waited at the last turn, by language."""
        queue, now = self._desk.queue, self._outbox.now
        oldest = {name: queue.oldest(name) for name in queue.depths()}
        return {name: 0.0 if since is None else now - since for name, since in oldest.items()}

    def unacknowledged(self) -> dict[str, int]:
        """Bytes under way to gateways, by execution."""
        return self._desk.unacknowledged()

    def leftovers(self) -> dict[str, int]:
        """What is held for executions: all of it goes when they do."""
        return self._desk.leftovers()

    def starting(self) -> int:
        """Workers asked for that are not ready yet."""
        return self._supervisor.starting

    def check(self) -> None:
        """Assert what must always hold between turns."""
        self._pool.check()
        self._desk.check()
        self._supervisor.check()
        assert not self._outbox.sends
        for peers in self._peers.values():
            for peer in peers.values():
                # A turn may come late by almost PAUSE_S, before and after the silence is noticed.
                assert self._outbox.now - peer.heard_at <= LOST_S + 2 * PAUSE_S, peer

    # --- connections -------------------------------------------------------------------------

    def _turn(self, now: float) -> None:
        if now - self._last_turn > PAUSE_S:
            for peers in self._peers.values():
                for peer in peers.values():
                    peer.heard_at = now
        self._last_turn = now
        self._outbox.now = now

    def _receive_first(self, side: Side, routing_id: bytes, message: Message, now: float) -> None:
        """A message from somebody who has not said Hello."""
        if type(message) is not Hello:
            self.figures.dropped["stranger"] += 1
            if type(message) is not Goodbye:
                self._turn_away(side, routing_id, "say Hello first")
            return
        name = message.name[:MAX_NAME_CHARS]
        if message.version not in SPOKEN_VERSIONS:
            reason = f"protocol version {message.version}, this coordinator has {PROTOCOL_VERSION}"
            self._turn_away(side, routing_id, reason)
        elif message.role not in _ROLES[side]:
            self._turn_away(side, routing_id, "this role is not awaited on this endpoint")
        elif len(self._peers[side]) >= MAX_PEERS:
            self._turn_away(side, routing_id, "too many connections")
        else:
            peer = Peer(side, routing_id, Role(message.role), name, now)
            self._admit(peer, now)

    def _admit(self, peer: Peer, now: float) -> None:
        if peer.role is Role.WORKER and not self._supervisor.worker_joined(peer):
            self._turn_away(peer.side, peer.routing_id, "nobody asked for this worker")
            return
        self._peers[peer.side][peer.routing_id] = peer
        self._outbox.send(peer, Welcome(self._settings.boot_id))
        if peer.role is Role.GATEWAY:
            self._outbox.send(peer, self._language_list())
        elif peer.role is Role.HOST:
            self._supervisor.host_joined(peer)
        log.info("peer joined peer=%r role=%s", peer.name, peer.role.name.lower())

    def _turn_away(self, side: Side, routing_id: bytes, reason: str) -> None:
        if self._may_log():
            log.warning("turned a peer away peer=%s reason=%r", routing_id.hex(), reason)
        self._outbox.sends.append(Send(side, routing_id, Goodbye(reason), b""))

    def _drop(self, peer: Peer, now: float) -> None:
        """The connection is over, whoever ended it."""
        del self._peers[peer.side][peer.routing_id]
        self._farm_changed = True
        if peer.role is Role.GATEWAY:
            self._watchers.pop(peer, None)
            self._desk.gateway_lost(peer, now)
        elif peer.role is Role.HOST:
            self._supervisor.host_lost(peer, now)
            self._update_languages()
            self._desk.dispatch(now)
        else:
            worker = self._supervisor.worker_left(peer, "disconnected", now)
            if worker is not None:
                self._lost(worker, now)

    def _lost(self, worker: Worker, now: float) -> None:
        log.warning(
            "worker lost worker_id=%s execution_id=%s story=%r",
            worker.worker_id,
            worker.execution.submit.execution_id if worker.execution else "-",
            "; ".join(worker.told_story(now)),
        )
        self._desk.worker_lost(worker, now)
        self._desk.dispatch(now)
        self._farm_changed = True

    # --- messages ----------------------------------------------------------------------------

    def _from_gateway(self, peer: Peer, message: Message, payload: Payload, now: float) -> None:
        desk = self._desk
        match message:
            case Submit():
                desk.submit(peer, message, payload, now)
                self._farm_changed = True
            case Credit():
                desk.credit(peer, message, now)
            case Stdin():
                desk.stdin(peer, message, payload, now)
            case StdinClose() | Signal():
                desk.pass_in(peer, message, now)
            case Cancel():
                desk.cancel(peer, message, now)
                self._farm_changed = True
            case WatchFarm(on=True):
                self._watchers[peer] = None
                self._farm_changed = True
                if now >= self._next_farm:
                    self._publish(now)
            case WatchFarm():
                self._watchers.pop(peer, None)
            case Heartbeat():
                pass
            case _:
                self._misplaced(peer, message)

    def _from_worker(self, peer: Peer, message: Message, payload: Payload, now: float) -> None:
        if type(message) is Ready:
            self._farm_changed = True
            idle = self._supervisor.ready(peer, message.language, message.arming_s, now)
            if idle is not None:
                self._desk.dispatch(now)
                return
        worker = self._supervisor.worker(peer)
        if worker is None:
            if not self._supervisor.is_starting(peer):
                # It was given up: it is not believed, and should know.
                self.figures.dropped["not_leased"] += type(message) is not Heartbeat
                del self._peers[peer.side][peer.routing_id]
                self._turn_away(peer.side, peer.routing_id, "this worker was given up")
            return
        sound = True
        match message:
            case Heartbeat():
                pass
            case Ready():
                # It says that it is done, without a word on what it ran.
                sound = worker.state is not State.BUSY
            case Output():
                sound = self._desk.output(worker, message, payload, now)
            case StdinCredit():
                self._desk.stdin_credit(worker, message)
            case Finished():
                self._farm_changed = True
                sound = self._desk.finished(worker, message, payload, now)
                if worker.retiring and worker.state is State.RECYCLING:
                    self._supervisor.retire(worker, now)
            case _:
                self._misplaced(peer, message)
        if not sound:
            self._supervisor.lose(worker, "protocol", now)
            self._lost(worker, now)

    def _from_host(self, peer: Peer, message: Message, now: float) -> None:
        match message:
            case HostState():
                self._supervisor.host_state(peer, message, now)
                self._update_languages()
                self._balance(now)
            case WorkerExited():
                worker = self._supervisor.exited(peer, message.worker_id, now)
                log.info("worker exited worker_id=%r reason=%r", message.worker_id, message.reason)
                if worker is not None:
                    self._lost(worker, now)
                self._farm_changed = True
            case Heartbeat():
                pass
            case _:
                self._misplaced(peer, message)

    def _misplaced(self, peer: Peer, message: Message) -> None:
        self.figures.dropped["misplaced"] += 1
        if self._may_log():
            log.warning("dropped a message peer=%r kind=%s", peer.name, type(message).__name__)

    def _may_log(self) -> bool:
        """Whether to log what a peer can cause as often as it likes: LOGGED_A_SECOND at most."""
        now = self._outbox.now
        if now >= self._log_until:
            self._log_until = now + 1.0
            self._logged = 0
        self._logged += 1
        return self._logged <= LOGGED_A_SECOND

    # --- time --------------------------------------------------------------------------------

    def _tick(self, now: float) -> None:
        silent = [
            peer
            for peers in self._peers.values()
            for peer in peers.values()
            if now - peer.heard_at > LOST_S
        ]
        for peer in silent:
            log.warning("peer lost peer=%r reason=silent", peer.name)
            if peer.role is Role.GATEWAY or peer.role is Role.HOST:
                self._outbox.send(peer, Goodbye("silent for too long"))
            self._drop(peer, now)
        for worker in self._supervisor.overdue(now):
            self._supervisor.lose(worker, "overdue", now)
            self._lost(worker, now)
        self._desk.tick(now)
        self._balance(now)
        for peers in self._peers.values():
            for peer in peers.values():
                # A tick early rather than late.
                if now - peer.sent_at > HEARTBEAT_S - TICK_S:
                    self._outbox.send(peer, Heartbeat())

    def _probe(self, now: float) -> None:
        """Send everybody a word: whoever is gone turns out to be unreachable."""
        self._probe_at = float("inf")
        self._probed_at = now
        for peers in self._peers.values():
            for peer in peers.values():
                self._outbox.send(peer, Heartbeat())

    def _balance(self, now: float) -> None:
        self._balanced_at = now
        load = self._load(now)
        decision = self._balancer.decide(load, now)
        if decision.desired != self._desired:
            direction = "up" if decision.desired > self._desired else "down"
            self.figures.scale_decisions[direction, decision.reason] += 1
            log.info(
                "scaling from=%d to=%d reason=%s busy=%d waiting=%d needed=%.2f p99_s=%.3f "
                "pressure=%.2f",
                self._desired,
                decision.desired,
                decision.reason,
                load.busy,
                self._desk.queue.depth,
                sum(one.workers_needed for one in load.languages.values()),
                max((one.wait_p99_s for one in load.languages.values()), default=0.0),
                load.pressure,
            )
            self._desired = decision.desired
        wanted = mix(self._desired, load.languages, self._settings.favourite)
        self.figures.workers_desired = self._desired
        self.figures.desired_mix = wanted
        self._desk.wanted = wanted
        if self._desk.draining:
            return
        self._supervisor.resize(self._desired, wanted, now)
        self._desk.dispatch(now)
        if not self._desk.queue.depth:
            self._supervisor.remix(wanted, REARM_BOUND_S, now)

    def _load(self, now: float) -> FarmLoad:
        """The figures that the balancer decides by: those that Prometheus sees."""
        languages = {}
        for name in self._desk.versions:
            figures = self.figures.language(name)
            languages[name] = LanguageLoad(
                workers_needed=figures.workers_needed(now),
                occupied_s=figures.occupied_mean_s,
                depth=self._desk.queue.depth_of(name),
                wait_p99_s=figures.waits.quantiles(now, 0.99)[0],
                quiet_s=now - figures.last_arrival if figures.seen else float("inf"),
            )
        pressures = [host.cpu_pressure for host in self._supervisor.hosts.values()]
        return FarmLoad(
            languages=languages,
            busy=self._pool.counts[State.BUSY],
            pressure=min(pressures, default=0.0),
        )

    def _update_languages(self) -> None:
        versions = self._supervisor.versions()
        if versions == self._desk.versions:
            return
        self._desk.versions = versions
        for peer in self._peers[Side.GATEWAYS].values():
            self._outbox.send(peer, self._language_list())

    def _language_list(self) -> LanguageList:
        return LanguageList(
            tuple(
                (language, version)
                for language, versions in self._desk.versions.items()
                for version in versions
            )
        )

    def _publish(self, now: float) -> None:
        payload = pack_farm(self.snapshot(now))
        for peer in self._watchers:
            self._outbox.send(peer, FarmState(), payload)
        self._farm_changed = False
        self._next_farm = now + FARM_INTERVAL_S
