"""The workers' lives: asked for, accepted, watched, retired, stopped, replaced.

A worker is believed only if its id was made up here, told to a host by StartWorker and not
used yet: one that was declared lost, or that somebody invents, gets Goodbye.
"""

from __future__ import annotations

from collections.abc import Mapping

from dcodex_coordinator.figures import Figures
from dcodex_coordinator.hosts import Host, Starting
from dcodex_coordinator.outbox import Outbox, Peer
from dcodex_coordinator.pool import Cause, State, Worker, WorkerPool
from dcodex_shared.messages import Arm, Goodbye, HostState, Retire, StartWorker, StopWorker

#: From StartWorker to Ready: a template may have to import pandas first, on a busy machine.
START_BOUND_S = 60.0
#: A worker that retires with nothing to run must be gone in this time, else it is stopped.
EXIT_BOUND_S = 10.0
#: A host that was told to stop a worker must say so in this time, else we take it for done.
STOP_BOUND_S = 10.0
#: Workers started in one tick: a host forks one in milliseconds, but all at once would starve
#: the programs that run.
STARTS_A_TICK = 16
#: Idle workers told in one tick to arm for another language.
REARMS_A_TICK = 4


class Supervisor:
    """Hosts and the workers on them."""

    def __init__(self, boot_id: str, outbox: Outbox, pool: WorkerPool, figures: Figures) -> None:
        #: Part of every worker id, so that no two coordinators make up the same.
        self._prefix = boot_id[:6]
        self._outbox = outbox
        self._pool = pool
        self._figures = figures
        self._hosts: dict[Peer, Host] = {}
        self._starting: dict[str, Starting] = {}
        #: Every connected worker that is not SHUTDOWN.
        self._by_peer: dict[Peer, Worker] = {}
        #: Every connected worker that is still starting.
        self._starting_peers: dict[Peer, Starting] = {}
        #: Worker ids made up so far.
        self._named = 0

    @property
    def hosts(self) -> Mapping[Peer, Host]:
        """The hosts that said Hello, by connection."""
        return self._hosts

    @property
    def starting(self) -> int:
        """Workers asked for and not ready."""
        return len(self._starting)

    def versions(self) -> dict[str, tuple[str, ...]]:
        """Every language that some host offers, with its versions, sorted."""
        found: dict[str, set[str]] = {}
        for host in self._hosts.values():
            if host.draining:
                continue
            for language, version in host.languages.items():
                found.setdefault(language, set()).add(version)
        return {language: tuple(sorted(found[language])) for language in sorted(found)}

    # --- hosts -------------------------------------------------------------------------------

    def host_joined(self, peer: Peer) -> None:
        """A host said Hello; it counts from its first HostState on."""
        self._hosts[peer] = Host(peer)

    def host_state(self, peer: Peer, state: HostState, now: float) -> None:
        """A host's word on itself."""
        host = self._hosts[peer]
        host.update(state)
        if host.draining:
            self._clear_out(host, now)

    def host_lost(self, peer: Peer, now: float) -> None:
        """A host is gone: nobody can stop its workers, so they are to end by themselves."""
        host = self._hosts.pop(peer)
        for starting in list(host.starting.values()):
            self._forget_starting(starting)
            if starting.peer is not None:
                self._outbox.send(starting.peer, Goodbye("its host is gone"))
        for worker in list(host.workers.values()):
            if worker.state is State.SHUTDOWN:
                self._remove(worker)
        self._clear_out(host, now)

    # --- workers -----------------------------------------------------------------------------

    def worker_joined(self, peer: Peer) -> bool:
        """A worker said Hello; False: nobody asked for it."""
        starting = self._starting.get(peer.name)
        if starting is None or starting.peer is not None:
            return False
        starting.peer = peer
        self._starting_peers[peer] = starting
        return True

    def worker(self, peer: Peer) -> Worker | None:
        """The worker behind this connection, unless it is SHUTDOWN or not ready yet."""
        return self._by_peer.get(peer)

    def is_starting(self, peer: Peer) -> bool:
        """Whether this connection's worker has not said Ready yet."""
        return peer in self._starting_peers

    def ready(self, peer: Peer, language: str, arming_s: float, now: float) -> Worker | None:
        """A worker has armed; returns it if it is idle now."""
        starting = self._starting_peers.get(peer)
        worker = self._by_peer.get(peer)
        host = starting.host if starting else worker.host if worker else None
        if host is None or language not in host.languages or arming_s < 0:
            self._figures.dropped["malformed"] += 1
            return None
        if starting is None and worker is not None and worker.state is not State.RECYCLING:
            self._figures.dropped["unexpected"] += 1
            return None
        self._figures.language(language).armed(min(arming_s, START_BOUND_S))
        if starting is not None:
            self._forget_starting(starting)
            host.start_succeeded()
            worker = Worker(starting.worker_id, host, peer, language, now)
            worker.retiring = host.draining
            self._pool.add(worker)
            host.workers[worker.worker_id] = worker
            self._by_peer[peer] = worker
        else:
            assert worker is not None
            if worker.leased_at:
                leased_for = self._figures.language(worker.language)
                leased_for.occupied(now - worker.leased_at)
                worker.leased_at = 0.0
            worker.language = language
            self._pool.move(worker, Cause.READY, now)
        if worker.retiring:
            self.retire(worker, now)
            return None
        return worker

    def exited(self, peer: Peer, worker_id: str, now: float) -> Worker | None:
        """A host says that a worker process is gone; returns the worker if it was live."""
        host = self._hosts[peer]
        starting = host.starting.get(worker_id)
        if starting is not None:
            self._forget_starting(starting)
            host.start_failed(now)
            self._figures.workers_lost["start"] += 1
            return None
        worker = host.workers.get(worker_id)
        if worker is None:
            return None
        was_live = worker.state is not State.SHUTDOWN
        if was_live:
            self._figures.workers_lost["exited"] += 1
            self._shut_down(worker, Cause.LOST, now)
        if self._pool.get(worker_id) is not None:
            self._remove(worker)
        return worker if was_live else None

    def worker_left(self, peer: Peer, reason: str, now: float) -> Worker | None:
        """A connection ended, by Goodbye or silence; returns the worker if it was live."""
        starting = self._starting_peers.get(peer)
        if starting is not None:
            self._forget_starting(starting)
            starting.host.start_failed(now)
            self._figures.workers_lost["start"] += 1
            self._stop(starting.host, starting.worker_id)
            return None
        worker = self._by_peer.get(peer)
        if worker is not None:
            self.lose(worker, reason, now)
        return worker

    def lose(self, worker: Worker, reason: str, now: float) -> None:
        """A live worker is not to be believed any more. Its execution is the caller's to end."""
        self._figures.workers_lost[reason] += 1
        self._shut_down(worker, Cause.LOST, now)
        worker.overdue_at = now + STOP_BOUND_S
        worker.stopped = True
        self._stop(worker.host, worker.worker_id)

    def retire(self, worker: Worker, now: float) -> None:
        """Let a worker go that runs nothing."""
        assert worker.execution is None
        peer = worker.peer
        self._figures.workers_retired += 1
        self._shut_down(worker, Cause.RETIRED, now)
        worker.overdue_at = now + EXIT_BOUND_S
        if peer is not None:
            self._outbox.send(peer, Retire(0.0))

    def rearm(self, worker: Worker, language: str, bound_s: float, now: float) -> None:
        """Have an idle worker arm for another language."""
        assert worker.peer is not None
        self._pool.move(worker, Cause.REARMED, now)
        self._pool.move(worker, Cause.REARMED, now)
        worker.language = language
        worker.overdue_at = now + bound_s
        self._outbox.send(worker.peer, Arm(language))

    # --- time --------------------------------------------------------------------------------

    def overdue(self, now: float) -> list[Worker]:
        """Live workers that should have moved on; forgets dead ones that nobody reaps."""
        late = []
        for worker in list(self._pool):
            if worker.state is State.IDLE or now < worker.overdue_at:
                continue
            if worker.state is not State.SHUTDOWN:
                late.append(worker)
            elif not worker.stopped:
                worker.stopped = True
                worker.overdue_at = now + STOP_BOUND_S
                self._stop(worker.host, worker.worker_id)
            else:
                self._remove(worker)
        for starting in list(self._starting.values()):
            if now >= starting.due_at:
                self._forget_starting(starting)
                starting.host.start_failed(now)
                self._figures.workers_lost["start"] += 1
                self._stop(starting.host, starting.worker_id)
        return late

    def resize(self, desired: int, mix: Mapping[str, int], now: float) -> None:
        """Start or retire workers towards this many, armed in this mix."""
        retiring = sum(worker.retiring for worker in self._pool if worker.state is State.BUSY)
        have = self._pool.live() - retiring + len(self._starting)
        if have < desired:
            self._start(min(desired - have, STARTS_A_TICK), mix, now)
        elif have > desired:
            self._shrink(have - desired, mix, now)

    def remix(self, mix: Mapping[str, int], bound_s: float, now: float) -> None:
        """Move idle workers from languages with too many to languages with too few."""
        have = self._by_language()
        for _ in range(REARMS_A_TICK):
            lacking = max(mix, key=lambda name: mix[name] - have.get(name, 0), default=None)
            if lacking is None or mix[lacking] <= have.get(lacking, 0):
                return
            worker = self._spare(mix, have, lacking)
            if worker is None:
                return
            have[worker.language] -= 1
            have[lacking] = have.get(lacking, 0) + 1
            self.rearm(worker, lacking, bound_s, now)

    def check(self) -> None:
        """Assert what must always hold."""
        by_host = {w.worker_id: w for host in self._hosts.values() for w in host.workers.values()}
        for worker in self._pool:
            orphan = worker.host.peer not in self._hosts
            assert orphan or by_host.pop(worker.worker_id) is worker
            if worker.state is not State.SHUTDOWN:
                assert worker.peer is not None
                assert self._by_peer[worker.peer] is worker
        assert not by_host
        assert len(self._by_peer) == self._pool.live()
        starting = {s.worker_id for host in self._hosts.values() for s in host.starting.values()}
        assert starting == set(self._starting)

    # -----------------------------------------------------------------------------------------

    def _clear_out(self, host: Host, now: float) -> None:
        """Have all its workers leave: those that run something, when they no longer do."""
        for worker in list(host.workers.values()):
            if worker.state is State.BUSY:
                worker.retiring = True
            elif worker.state is not State.SHUTDOWN:
                self.retire(worker, now)

    def _start(self, count: int, mix: Mapping[str, int], now: float) -> None:
        have = self._by_language()
        # A host's share of room, so that several fill evenly; its own room shrinks as we go.
        for _ in range(count):
            hosts = [h for h in self._hosts.values() if now >= h.retry_at and h.room() > 0]
            if not hosts:
                return
            host = max(hosts, key=lambda h: (h.room() / h.slots) * (1.0 - 0.5 * h.cpu_pressure))
            offered = [name for name in mix if name in host.languages] or list(host.languages)
            if not offered:
                return
            language = max(offered, key=lambda name: mix.get(name, 0) - have.get(name, 0))
            have[language] = have.get(language, 0) + 1
            self._named += 1
            worker_id = f"{host.name}/{self._prefix}.{self._named}"
            starting = Starting(worker_id, host, language, now + START_BOUND_S)
            self._starting[worker_id] = starting
            host.starting[worker_id] = starting
            self._figures.workers_started += 1
            self._outbox.send(host.peer, StartWorker(worker_id, language))

    def _shrink(self, count: int, mix: Mapping[str, int], now: float) -> None:
        have = self._by_language()
        for _ in range(count):
            worker = self._spare(mix, have, "")
            if worker is None:
                shelf = max(self._pool.idle.values(), key=len, default=None)
                if shelf is None:
                    return
                worker = next(iter(shelf))
            have[worker.language] -= 1
            self.retire(worker, now)

    def _by_language(self) -> dict[str, int]:
        """Workers that are or will be armed for each language."""
        have: dict[str, int] = {}
        for worker in self._pool:
            if worker.state is not State.SHUTDOWN and not worker.retiring:
                have[worker.language] = have.get(worker.language, 0) + 1
        for starting in self._starting.values():
            have[starting.language] = have.get(starting.language, 0) + 1
        return have

    def _spare(self, mix: Mapping[str, int], have: Mapping[str, int], wanted: str) -> Worker | None:
        """An idle worker of a language with more than the mix wants, that can arm for `wanted`."""
        idle = self._pool.idle
        over = [name for name in idle if have.get(name, 0) > mix.get(name, 0)]
        over.sort(key=lambda name: have[name] - mix.get(name, 0), reverse=True)
        for name in over:
            for worker in idle[name]:
                if not wanted or wanted in worker.host.languages:
                    return worker
        return None

    def _shut_down(self, worker: Worker, cause: Cause, now: float) -> None:
        self._pool.move(worker, cause, now)
        if worker.peer is not None:
            del self._by_peer[worker.peer]
            worker.peer = None
        if worker.host.peer not in self._hosts:
            # Its host is gone: nobody will tell of its end.
            self._remove(worker)

    def _remove(self, worker: Worker) -> None:
        self._pool.remove(worker)
        worker.host.workers.pop(worker.worker_id, None)

    def _stop(self, host: Host, worker_id: str) -> None:
        if host.peer in self._hosts:
            self._outbox.send(host.peer, StopWorker(worker_id))

    def _forget_starting(self, starting: Starting) -> None:
        del self._starting[starting.worker_id]
        starting.host.starting.pop(starting.worker_id, None)
        if starting.peer is not None:
            self._starting_peers.pop(starting.peer, None)
