"""A whole farm in simulated time: the real machine, the real pure parts of its peers, chaos.

Everything random comes from one seed, so that a failure replays exactly. After every step the
machine checks itself and the ledger has checked what it said; at the end the faults stop and
everything has to drain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.simulation.ledger import Broken, Ledger
from tests.simulation.network import Clock, Connection, Faults
from tests.simulation.peers import Gateway, Host, Worker

from dcodex_coordinator.desk import DeskSettings
from dcodex_coordinator.machine import Machine, MachineSettings
from dcodex_coordinator.outbox import Send, Side
from dcodex_shared.messages import Message

GATEWAYS = 2
HOSTS = 2
#: After the faults have stopped: longer than every bound of the coordinator's added up.
DRAIN_S = 400.0
#: How often it is looked whether all is at rest.
LOOK_S = 5.0


@dataclass(slots=True)
class Tally:
    """What came of it all."""

    steps: int = 0
    submitted: int = 0
    leases: int = 0
    finished: int = 0
    refused: int = 0
    lost: int = 0
    coordinators: int = 0
    faults: dict[str, int] = field(default_factory=dict)


class World:
    """One farm and its troubles."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.clock = Clock()
        self.tally = Tally()
        #: Callers, hosts and chance make trouble; False: everything is to come to rest.
        self.stormy = True
        #: ZeroMQ keeps order and loses nothing while a connection stands; gateways rely on it.
        self.calm = Faults()
        self.wild = Faults(
            drop=self.random.choice([0.0, 0.001, 0.02]),
            duplicate=self.random.choice([0.0, 0.01]),
            reorder=self.random.choice([0.0, 0.0, 0.02]),
        )
        #: Faults a second, beside those of the network.
        self._troubles = self.random.choice([0.3, 1.0, 3.0])
        self.machine: Machine | None = None
        self.ledger = Ledger()
        self._connections: dict[tuple[Side, bytes], Connection] = {}
        self._routing = 0
        #: The number of the one timer that counts, and when it goes off.
        self._timer = 0
        self._timer_due = float("inf")
        self._paused_until = 0.0
        self._settings = DeskSettings(
            weights={"python": self.random.choice([1.0, 3.0])},
            max_workers=6,
            max_queued=self.random.choice([5, 40]),
            max_queued_per_tenant=self.random.choice([3, 30]),
            cache_entries=self.random.choice([0, 20]),
            cache_bytes=1 << 20,
            cache_ttl_s=self.random.choice([5.0, 60.0]),
            cache_shared=self.random.random() < 0.5,
        )
        self.start_coordinator()
        self.gateways = [Gateway(self, f"g{number}") for number in range(GATEWAYS)]
        self.hosts = [Host(self, f"h{number}") for number in range(HOSTS)]
        self.clock.after(self.random.expovariate(self._troubles), self._trouble)

    # --- the run -----------------------------------------------------------------------------

    def run(self, steps: int) -> Tally:
        """So many steps of storm, then calm until everything has drained."""
        try:
            for _ in range(steps):
                self._step()
            self._calm_down()
        except Exception as error:
            error.add_note(f"seed={self.seed} step={self.tally.steps} time={self.clock.now:.6f}")
            raise
        return self.tally

    def _step(self) -> None:
        self.tally.steps += 1
        self.clock.step()

    def _calm_down(self) -> None:
        self.stormy = False
        self.wild.drop = self.wild.duplicate = self.wild.reorder = 0.0
        end = self.clock.now + DRAIN_S
        while (trouble := self._unrest()) and self.clock.now < end:
            look = self.clock.now + LOOK_S
            while self.clock.now < look:
                self._step()
        if trouble:
            raise Broken(f"not at rest after {DRAIN_S:g} s without faults: {trouble}")
        self._count_ledger()
        for gateway in self.gateways:
            gateway.check_ended()

    def _unrest(self) -> str:
        """What has not come to rest; empty: everything has."""
        machine = self.machine
        if machine is None:
            return "no coordinator"
        if self.ledger.open() or not machine.is_quiet() or sum(machine.queue_depths().values()):
            return f"executions {self.ledger.open()}"
        counts = {key: count for key, count in machine.worker_counts().items() if count}
        if any(state != "idle" for state, _ in counts) or machine.starting():
            return f"workers {counts}"
        if sum(counts.values()) != machine.figures.workers_desired:
            return f"workers {counts} but {machine.figures.workers_desired} desired"
        processes = sum(len(host.workers) for host in self.hosts)
        if processes != sum(counts.values()):
            return f"{processes} worker processes for {counts}"
        waiting = [name for gateway in self.gateways for name in gateway.waiting()]
        if waiting:
            return f"callers of {waiting}"
        if machine.leftovers():
            return f"kept {machine.leftovers()}"
        return ""

    # --- the coordinator ---------------------------------------------------------------------

    def start_coordinator(self) -> None:
        """A new one, which knows nothing."""
        self.tally.coordinators += 1
        self.ledger = Ledger()
        self.machine = Machine(
            MachineSettings(
                boot_id=f"{self.tally.coordinators:06d}",
                desk=self._settings,
                min_workers=2,
                max_workers=6,
                defended_wait_s=0.1,
                cool_down_s=10.0,
            ),
            self.clock.now,
        )
        self._set_timer()

    def crash_coordinator(self) -> None:
        """It is gone, and all that was on its way to and from it."""
        self._count_ledger()
        self.machine = None
        self._timer += 1
        self._timer_due = float("inf")
        for connection in self._connections.values():
            connection.cut()
        self._connections = {}
        self.clock.after(self.random.expovariate(1.0), self.start_coordinator)

    def drain_coordinator(self) -> None:
        """SIGTERM: it refuses what is new, lets run what runs, takes leave, goes."""
        machine = self.machine
        assert machine is not None
        self._perform(machine.drain(self.clock.now))

        def end() -> None:
            if self.machine is machine:
                self._perform(machine.close(self.clock.now))
                if self.ledger.open():
                    raise Broken(f"closed with open executions: {self.ledger.open()}")
                self.crash_coordinator()

        self.clock.after(self.random.expovariate(1.0), end)

    def connect(self, peer: Gateway | Host | Worker) -> Connection | None:
        """A new connection, if there is a coordinator."""
        if self.machine is None:
            return None
        self._routing += 1
        side = Side.GATEWAYS if isinstance(peer, Gateway) else Side.WORKERS
        connection = Connection(
            self.clock,
            self.random,
            self.calm if side is Side.GATEWAYS else self.wild,
            side,
            self._routing.to_bytes(4, "big"),
            self._received,
            peer.receive,
            peer.broken,
        )
        self._connections[side, connection.routing_id] = connection
        return connection

    def _received(self, connection: Connection, message: Message, payload: bytes) -> None:
        machine = self.machine
        if machine is None or not connection.open:
            return
        if self.clock.now < self._paused_until:
            # SIGSTOP: what arrives waits in the sockets.
            self.clock.at(self._paused_until, lambda: self._received(connection, message, payload))
            return
        side, peer = connection.side, connection.routing_id
        if machine.is_connected(side, peer):
            self.ledger.heard(side, peer, message)
        self._perform(machine.receive(side, peer, message, payload, self.clock.now))

    def _set_timer(self) -> None:
        machine = self.machine
        assert machine is not None
        due = max(machine.next_deadline(), self._paused_until)
        if due < self._timer_due:
            self._timer += 1
            self._timer_due = due
            number = self._timer
            self.clock.at(due, lambda: self._expire(number))

    def _expire(self, number: int) -> None:
        if number == self._timer and self.machine is not None:
            self._timer_due = float("inf")
            self._perform(self.machine.expire(self.clock.now))

    def _perform(self, sends: list[Send]) -> None:
        """As the broker does it; then look whether all is well."""
        machine = self.machine
        assert machine is not None
        self._account(sends)
        while sends:
            unreachable = []
            for send in sends:
                connection = self._connections.get((send.side, send.peer))
                if connection is None or not connection.open:
                    unreachable.append(send)
                else:
                    connection.send_down(send.message, bytes(send.payload))
            sends = []
            for send in unreachable:
                self._connections.pop((send.side, send.peer), None)
                more = machine.disconnected(send.side, send.peer, self.clock.now)
                self._account(more)
                sends += more
        machine.check()
        under_way = machine.unacknowledged()
        if under_way != self.ledger.unacknowledged:
            raise Broken(f"credits: {under_way} is not {self.ledger.unacknowledged}")
        if sum(machine.queue_depths().values()) > self._settings.max_queued:
            raise Broken("more wait than may wait")
        self._set_timer()

    def _account(self, sends: list[Send]) -> None:
        """In the order in which the machine spoke, and before it hears anything more."""
        machine = self.machine
        assert machine is not None
        for send in sends:
            self.ledger.said(send)
        for peer in self.ledger.peers(Side.GATEWAYS):
            if not machine.is_connected(Side.GATEWAYS, peer):
                self.ledger.gateway_gone(peer)
        for peer in self.ledger.peers(Side.WORKERS):
            if not machine.is_connected(Side.WORKERS, peer):
                self.ledger.worker_gone(peer)

    def _count_ledger(self) -> None:
        for name in ("submitted", "leases", "finished", "refused"):
            total = getattr(self.tally, name) + getattr(self.ledger, name)
            setattr(self.tally, name, total)

    # --- trouble -----------------------------------------------------------------------------

    def _trouble(self) -> None:
        if not self.stormy:
            return
        kinds = ["worker", "worker", "host", "gateway", "stall", "stall", "cut", "pause", "drain"]
        kind = self.random.choice([*kinds, "coordinator"])
        self.tally.faults[kind] = self.tally.faults.get(kind, 0) + 1
        host = self.random.choice(self.hosts)
        connections = list(self._connections.values())
        match kind:
            case "worker" if host.workers:
                self.random.choice(list(host.workers.values())).crash()
            case "host":
                host.crash()
            case "gateway":
                self.random.choice(self.gateways).crash()
            case "drain":
                host.drain()
            case "coordinator" if self.machine is not None:
                if self.random.random() < 0.5:
                    self.crash_coordinator()
                else:
                    self.drain_coordinator()
            case "stall" if connections:
                self.random.choice(connections).stall(self.random.expovariate(0.3))
            case "cut" if connections:
                self.random.choice(connections).cut()
            case "pause":
                self._paused_until = self.clock.now + self.random.expovariate(0.3)
        self.clock.after(self.random.expovariate(self._troubles), self._trouble)
