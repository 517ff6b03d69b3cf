"""A coordinator spoken by hand, and a gateway process that talks to it: for test_gateway*.py."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import zmq

from dcodex_shared.gatekeeper import Allowed, Gatekeeper, use_as_server
from dcodex_shared.keys import GATEWAYS, KeyPair
from dcodex_shared.messages import (
    Finished,
    Heartbeat,
    Hello,
    LanguageList,
    Message,
    Submit,
    Verdict,
    WatchFarm,
    Welcome,
)
from dcodex_shared.program import pack_records
from dcodex_shared.wire import decode, encode

#: Longer than anything here takes, shorter than a patience.
PATIENCE_S = 15.0
LANGUAGES = (("cpp", "12.2.0"), ("python", "3.11.2"))

M = TypeVar("M")


def finished(execution_id: str, verdict: int = Verdict.OK, **changes: object) -> Finished:
    """An answer as a worker's and the coordinator's together would be."""
    values: dict[str, object] = {
        "execution_id": execution_id,
        "verdict": int(verdict),
        "exit_code": 0,
        "signal": 0,
        "message": "",
        "cpu_user_s": 0.01,
        "cpu_system_s": 0.002,
        "wall_s": 0.015,
        "peak_memory_bytes": 9_000_000,
        "compile_s": 0.0,
        "output_truncated": False,
        "compile_cache_hit": False,
        "worker_id": "host/1",
        "warm": True,
    }
    values.update(changes)
    return Finished(**values)  # type: ignore[arg-type] # keyword by keyword as above


class Peer:
    """One coordinator on an ipc endpoint: a thread owns its socket and beats, a test speaks."""

    def __init__(
        self,
        endpoint: str,
        boot_id: str = "",
        beats: bool = True,
        keys: KeyPair | None = None,
        allowed: Callable[[], Allowed] = dict,
    ) -> None:
        """keys: serve CURVE, to the public keys that are allowed."""
        self.boot_id = boot_id or uuid.uuid4().hex
        self._beats = beats
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._router.setsockopt(zmq.LINGER, 0)
        self._router.setsockopt(zmq.SNDHWM, 0)
        self._router.setsockopt(zmq.RCVHWM, 0)
        self._gatekeeper: Gatekeeper | None = None
        if keys is not None:
            self._gatekeeper = Gatekeeper(self._context, allowed)
            use_as_server(self._router, keys, GATEWAYS)
        self._router.bind(endpoint)
        #: Where it listens: with the port that a wildcard became.
        self.endpoint = self._router.getsockopt_string(zmq.LAST_ENDPOINT)
        # What the test says, and an empty message for the end.
        self._orders = self._pair(zmq.PULL, "bind")
        self._outbox = self._pair(zmq.PUSH, "connect")
        self._inbox: queue.Queue[tuple[Message, bytes]] = queue.Queue()
        #: Executions of the test that runs; what is said of earlier ones is late.
        self._current: set[str] = set()
        self._gateway = b""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Die; the second time means nothing."""
        if self._router.closed:
            return
        self._outbox.send_multipart([b""])
        self._thread.join(PATIENCE_S)
        for socket in (self._router, self._orders, self._outbox):
            socket.close(linger=0)
        if self._gatekeeper is not None:
            self._gatekeeper.close()
        self._context.term()

    def _pair(self, kind: int, verb: str) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        getattr(socket, verb)("inproc://orders")
        return socket

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._router, zmq.POLLIN)
        poller.register(self._orders, zmq.POLLIN)
        if self._gatekeeper is not None:
            poller.register(self._gatekeeper.socket, zmq.POLLIN)
        beat = encode(Heartbeat())
        while True:
            ready = dict(poller.poll(300))
            if not ready and self._gateway and self._beats:
                self._router.send_multipart([self._gateway, *beat])
            if self._gatekeeper is not None:
                self._gatekeeper.answer()
            if self._orders in ready:
                frames = self._orders.recv_multipart()
                if frames == [b""]:
                    return
                self._router.send_multipart([self._gateway, *frames[1:]])
            if self._router in ready:
                self._gateway, *frames = self._router.recv_multipart()
                message, payload = decode(frames)
                if not isinstance(message, Heartbeat):
                    self._inbox.put((message, payload))

    def send(self, message: Message, payload: bytes = b"") -> None:
        """Say something to the gateway."""
        self.send_frames(*encode(message, payload))

    def send_frames(self, *frames: bytes) -> None:
        """Say anything at all to the gateway."""
        self._outbox.send_multipart([b"say", *frames])

    def forget(self) -> None:
        """Begin a new test: what was under way is over."""
        self._current.clear()

    def receive(self, timeout_s: float = PATIENCE_S) -> tuple[Message, bytes] | None:
        """The next message but heartbeats and late ones; None when nothing came."""
        end = time.monotonic() + timeout_s
        while True:
            try:
                message, payload = self._inbox.get(timeout=max(end - time.monotonic(), 0.001))
            except queue.Empty:
                return None
            execution_id = getattr(message, "execution_id", None)
            if isinstance(message, Submit):
                self._current.add(message.execution_id)
            elif execution_id is not None and execution_id not in self._current:
                continue
            elif isinstance(message, WatchFarm) and not message.on:
                # The gateway stops watching a while after the last watcher of an earlier test.
                continue
            return message, payload

    def expect(self, kind: type[M]) -> tuple[M, bytes]:
        """The next message, which must be of this kind."""
        received = self.receive()
        assert received is not None, f"no {kind.__name__} came"
        message, payload = received
        assert isinstance(message, kind), f"{message} came instead of {kind.__name__}"
        return message, payload

    def meet(self, languages: tuple[tuple[str, str], ...] = LANGUAGES) -> None:
        """Greet the gateway and tell it the languages."""
        self.expect(Hello)
        self.send(Welcome(self.boot_id))
        self.send(LanguageList(languages))

    def answer(
        self, records: list[tuple[int, bytes]], verdict: int = Verdict.OK, **changes: object
    ) -> tuple[Submit, bytes]:
        """Take the next Submit and end it at once."""
        submit, payload = self.expect(Submit)
        self.send(finished(submit.execution_id, verdict, **changes), pack_records(records))
        return submit, payload


class Background(threading.Thread):
    """Something that goes on beside the test; join() gives its result or raises its error."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Do the work."""
        try:
            self._work()
        except BaseException as error:
            self._error = error

    def result(self) -> None:
        """Wait for the end, and raise what the work raised."""
        self.join(4 * PATIENCE_S)
        assert not self.is_alive(), "the background work does not end"
        if self._error is not None:
            raise self._error


class GatewayProcess:
    """A gateway as an operator starts it, on free ports."""

    def __init__(self, *flags: str, runtime_dir: Path | None = None) -> None:
        #: Its sockets, unless the test gave a directory of its own.
        self._directory = tempfile.TemporaryDirectory(prefix="dcodex-gw-")
        self.runtime_dir = runtime_dir or Path(self._directory.name)
        self.endpoint = f"ipc://{self.runtime_dir}/gateways.sock"
        self.log = ""
        self._logged = threading.Condition()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("DCODEX_")}
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "dcodex_gateway",
                "--port=0",
                f"--runtime_dir={self.runtime_dir}",
                *flags,
            ],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
        )
        # Always read, or a talkative gateway would stand still.
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        try:
            self.port = int(self.await_log(r"serving gRPC on \S+:(\d+)"))
            self.metrics_port = int(self.await_log(r"serving metrics on \S+:(\d+)"))
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        self.target = f"127.0.0.1:{self.port}"

    def await_log(self, pattern: str) -> str:
        """The first group of the first match in the log, now or later."""
        match: re.Match[str] | None = None

        def found() -> bool:
            nonlocal match
            match = re.search(pattern, self.log)
            return match is not None

        with self._logged:
            self._logged.wait_for(found, PATIENCE_S)
        assert match is not None, f"{pattern} is not in the gateway's log:\n{self.log}"
        return match[1] if match.groups() else match[0]

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._logged:
                self.log += line.decode(errors="replace")
                self._logged.notify_all()

    def terminate(self) -> None:
        """Ask it to drain: there is nobody to hand over to."""
        self.process.send_signal(signal.SIGINT)

    def hand_over(self) -> None:
        """Ask it to drain, as in a rolling restart."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Its exit status."""
        return self.process.wait(PATIENCE_S)

    def stop(self) -> None:
        """End it, whatever state it is in."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        if self.process.stderr is not None:
            self.process.stderr.close()
        self._directory.cleanup()
