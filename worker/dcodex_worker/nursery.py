"""Where worker processes are born: a single-threaded process that forks them on command.

Theory of operation
-------------------
The host forks the nursery before it has a thread or a ZeroMQ context, with every module of a
worker imported. A worker is then a fork of the nursery: it costs no import, shares its pages,
and never inherits a lock that a thread of somebody else's held. Host and nursery talk over a
SOCK_SEQPACKET pair, pickled, since they are one program:

    host     Order(worker_id, language, slot)  ──▶ nursery: fork
    host     Kill(worker_id)                   ──▶ nursery, where the host got no pidfd for it
    nursery  Born(worker_id) with its pidfd    ──▶ host
    nursery  Died(worker_id, wait status)      ──▶ host

The nursery dies with its host, and every worker with the nursery.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import pickle
import select
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import zmq

from dcodex_shared import logs
from dcodex_shared.config import WorkerSettings
from dcodex_shared.keys import ClientKeys
from dcodex_shared.memory import keep_freed_memory
from dcodex_shared.messages import Hello, Role
from dcodex_shared.placement import Place
from dcodex_worker.link import Link
from dcodex_worker.loop import Worker
from dcodex_worker.processes import close_all_but, die_with, leave_signals_to_host, set_name
from dcodex_worker.reports import Reporter
from dcodex_worker.runtimes import Slot, Workshop
from dcodex_worker.sandbox.box import SetupError

log = logging.getLogger(__name__)

#: One order or one piece of news; a slot is a few short strings.
MAX_MESSAGE_BYTES = 16 * 1024
#: A worker makes little garbage: collecting it seldom keeps shared pages shared.
GC_THRESHOLD = 50_000


@dataclass(frozen=True, slots=True)
class Order:
    """Fork a worker."""

    worker_id: str
    language: str
    slot: Slot


@dataclass(frozen=True, slots=True)
class Kill:
    """End a worker."""

    worker_id: str


@dataclass(frozen=True, slots=True)
class Born:
    """The worker's process exists. On the host's side `pidfd` is its descriptor."""

    worker_id: str
    pid: int
    #: -1 where the host had no descriptor to spare for it.
    pidfd: int


@dataclass(frozen=True, slots=True)
class Died:
    """The worker's process is gone; -1 as status: it could not be forked."""

    worker_id: str
    status: int


class NurseryLost(Exception):
    """The nursery is gone; without it no worker can be made, and those it made are gone too."""


class Nursery:
    """The host's end."""

    def __init__(self, settings: WorkerSettings, keys: ClientKeys | None, report_fd: int) -> None:
        """keys: the host's and its workers'; templates, which programs are forks of, have none."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            _child(parent, theirs, settings, keys, report_fd)
        theirs.close()
        ours.setblocking(False)
        self._socket = ours
        self.fd = ours.fileno()

    def order(self, worker_id: str, language: str, slot: Slot) -> None:
        """Have a worker forked; Born or Died tells."""
        self._tell(Order(worker_id, language, slot))

    def kill(self, worker_id: str) -> None:
        """Have a worker ended whose Born came without a descriptor; Died tells."""
        self._tell(Kill(worker_id))

    def _tell(self, order: Order | Kill) -> None:
        try:
            self._socket.send(pickle.dumps(order))
        except OSError as error:
            raise NurseryLost(str(error)) from error

    def news(self) -> Iterator[Born | Died]:
        """What has happened; the receiver owns the pidfds."""
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self._socket, MAX_MESSAGE_BYTES, 1)
            except BlockingIOError:
                return
            except OSError as error:
                raise NurseryLost(str(error)) from error
            if not data:
                raise NurseryLost("it ended")
            event: Born | Died = pickle.loads(data)
            if isinstance(event, Born):
                event = Born(event.worker_id, event.pid, fds[0] if fds else -1)
            yield event

    def close(self) -> None:
        """End the nursery and every worker that is left, and reap it."""
        self._socket.close()
        os.waitpid(self._pid, 0)


def _child(
    parent: int,
    sock: socket.socket,
    settings: WorkerSettings,
    keys: ClientKeys | None,
    report_fd: int,
) -> None:
    """The nursery process; does not return."""
    try:
        die_with(parent)
        set_name("dcodex-nursery")
        leave_signals_to_host()
        close_all_but({sock.fileno(), report_fd})
        keep_freed_memory()
        gc.collect()
        # What is there now is every worker's: kept out of collections, its pages stay shared.
        gc.freeze()
        _nurse(sock, settings, keys, report_fd)
    except BaseException:
        log.exception("the nursery failed")
        os._exit(1)
    os._exit(0)


def _nurse(
    sock: socket.socket, settings: WorkerSettings, keys: ClientKeys | None, report_fd: int
) -> None:
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    #: pidfd to worker_id and pid.
    children: dict[int, tuple[str, int]] = {}
    while True:
        for fd, _ in poller.poll():
            if fd != sock.fileno():
                worker_id, pid = children.pop(fd)
                poller.unregister(fd)
                os.close(fd)
                sock.send(pickle.dumps(Died(worker_id, os.waitpid(pid, 0)[1])))
                continue
            data = b""
            # A host that ended without reading everything is as gone as one that read.
            with contextlib.suppress(ConnectionResetError):
                data = sock.recv(MAX_MESSAGE_BYTES)
            if not data:
                for pidfd in children:
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                for _, pid in children.values():
                    os.waitpid(pid, 0)
                return
            order: Order | Kill = pickle.loads(data)
            if isinstance(order, Kill):
                for pidfd, (worker_id, _) in children.items():
                    if worker_id == order.worker_id:
                        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                continue
            try:
                pid, pidfd = _fork(order, settings, keys, report_fd)
            except OSError as error:
                log.error("could not fork worker_id=%s error=%s", order.worker_id, error)
                sock.send(pickle.dumps(Died(order.worker_id, -1)))
                continue
            children[pidfd] = order.worker_id, pid
            poller.register(pidfd, select.POLLIN)
            born = pickle.dumps(Born(order.worker_id, pid, -1))
            socket.send_fds(sock, [born], [pidfd])


def _fork(
    order: Order, settings: WorkerSettings, keys: ClientKeys | None, report_fd: int
) -> tuple[int, int]:
    nursery = os.getpid()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            die_with(nursery)
            status = _work(order, settings, keys, report_fd)
        except BaseException:
            log.exception("a worker failed worker_id=%s", order.worker_id)
        finally:
            sys.stderr.flush()
            os._exit(status)
    # Not reaped before its pidfd tells of its death, so the pid is still its own.
    try:
        return pid, os.pidfd_open(pid)
    except OSError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise


def _work(order: Order, settings: WorkerSettings, keys: ClientKeys | None, report_fd: int) -> int:
    """The worker process."""
    set_name("dcodex-worker")
    # Its own threads': programs are forks of the templates, which have every CPU.
    place = Place(settings.service_cpus)
    logs.configure("worker", settings.log_level, settings.log_format, worker_id=order.worker_id)
    close_all_but({report_fd})
    gc.set_threshold(GC_THRESHOLD)
    retire_fd, told_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGUSR1, lambda *_: os.write(told_fd, b"!"))
    try:
        workshop = Workshop(settings, order.slot)
    except SetupError as error:
        log.error("could not set up worker_id=%s error=%s", order.worker_id, error)
        return 1
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    link = Link(context, settings.worker_endpoint, Hello(Role.WORKER, order.worker_id), keys)
    try:
        worker = Worker(
            link,
            workshop,
            Reporter(report_fd),
            order.language,
            retire_fd,
            settings.drain_grace,
            place,
        )
        return worker.run()
    finally:
        workshop.close()
        context.term()
