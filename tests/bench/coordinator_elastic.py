"""The elastic pool with real processes: a step of load and a burst, against two more every 5 s.

A real coordinator and a real host with its sandboxes; this process is the gateway. Programs
sleep, so that what is measured is the pool and not how many cores there are.

    python -m tests.bench.coordinator_elastic [--max_workers 20]
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import zmq
from tests.bench.coordinator_policies import DEFENDED_WAIT_S, TwoEveryFiveSeconds, quantile

from dcodex_coordinator import machine
from dcodex_coordinator import process as coordinator
from dcodex_shared.limits import DEFAULT_LIMITS
from dcodex_shared.messages import (
    Finished,
    Heartbeat,
    Hello,
    LanguageList,
    Refused,
    Role,
    Submit,
    Verdict,
)
from dcodex_shared.program import Program, SourceFile, pack_program
from dcodex_shared.wire import decode, encode

PATIENCE_S = 30.0


class Gateway:
    """A DEALER that sends requests and notes how long each waited."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], endpoint: str) -> None:
        self._socket = context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(endpoint)
        self._socket.send_multipart(encode(Hello(Role.GATEWAY, "bench")))
        self._beat_at = 0.0
        self._sent = 0
        #: (when it was sent, seconds that it waited), as answers come.
        self.waits: list[tuple[float, float]] = []
        self._open: dict[str, float] = {}
        self.languages: tuple[tuple[str, str], ...] = ()

    def submit(self, lasts_s: float) -> None:
        """Ask for a program that sleeps."""
        self._sent += 1
        execution_id = f"{self._sent:032x}"
        source = f"import time; time.sleep({lasts_s})".encode()
        program = Program(
            language="python",
            files=(SourceFile("main.py", 0o644, source),),
            entry_point="main.py",
            args=(),
            compile_args=(),
            environment=(),
            stdin=b"",
            stdin_complete=True,
            limits=DEFAULT_LIMITS,
        )
        submit = Submit(execution_id, "t", "python", 0, 0.0, False, 1 << 18, 10.0, b"", "", False)
        self._open[execution_id] = time.monotonic()
        self._socket.send_multipart(encode(submit, pack_program(program)))

    def listen(self, until: float) -> None:
        """Take answers in until a time."""
        while (left := until - time.monotonic()) > 0:
            if time.monotonic() >= self._beat_at:
                self._beat_at = time.monotonic() + 1.0
                self._socket.send_multipart(encode(Heartbeat()))
            if not self._socket.poll(int(min(left, 0.2) * 1000) + 1):
                continue
            message, _ = decode(self._socket.recv_multipart())
            if isinstance(message, Finished):
                if message.verdict != Verdict.OK:
                    raise SystemExit(f"a program failed: {message}")
                self.waits.append((self._open.pop(message.execution_id), message.queue_wait_s))
            elif isinstance(message, LanguageList):
                self.languages = message.languages
            elif isinstance(message, Refused):
                raise SystemExit(f"a request was refused: {message}")

    def settle(self) -> None:
        """Listen until everything is answered."""
        end = time.monotonic() + PATIENCE_S
        while self._open and time.monotonic() < end:
            self.listen(time.monotonic() + 0.05)

    def close(self) -> None:
        """Leave."""
        self._socket.close()


def _arrivals(rate: float, seconds: float, seed: int) -> Iterator[float]:
    rng = random.Random(seed)
    at = rng.expovariate(rate)
    while at < seconds:
        yield at
        at += rng.expovariate(rate)


def _measure(policy: str, max_workers: int, load: str) -> dict[str, float | str]:
    with tempfile.TemporaryDirectory() as directory:
        common = ["--runtime_dir", directory, "--log_level", "error"]
        limits = ["--min_workers", "2", "--max_workers", str(max_workers)]
        serve = [sys.executable, "-m", "tests.bench.coordinator_elastic", "--serve", policy]
        host = [sys.executable, "-P", "-m", "dcodex_worker", *common]
        processes = [subprocess.Popen([*serve, "--", *common, *limits]), subprocess.Popen(host)]
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        gateway = Gateway(context, f"ipc://{directory}/gateways.sock")
        try:
            end = time.monotonic() + PATIENCE_S
            while not gateway.languages and time.monotonic() < end:
                gateway.listen(time.monotonic() + 0.1)
            # The farm has run something, as any farm has before a load comes.
            for _ in range(20):
                gateway.submit(0.02)
                gateway.settle()
            gateway.waits.clear()
            began = time.monotonic()
            if load == "burst":
                for _ in range(200):
                    gateway.submit(0.05)
            else:
                for at in _arrivals(40.0, 15.0, seed=1):
                    gateway.listen(began + at)
                    gateway.submit(0.1)
            gateway.settle()
        finally:
            gateway.close()
            context.term()
            for process in reversed(processes):
                process.terminate()
                process.wait(PATIENCE_S)
    late = [sent + wait_s - began for sent, wait_s in gateway.waits if wait_s > DEFENDED_WAIT_S]
    waits = [wait_s for _, wait_s in gateway.waits]
    return {
        "load": load,
        "policy": policy,
        "requests": float(len(waits)),
        "seconds_until_the_wait_is_back": round(max(late, default=0.0), 3),
        "late_requests": float(len(late)),
        "wait_p99_s": round(quantile(waits, 0.99), 4),
    }


def main() -> int:
    """Print a line of JSON a measurement; with --serve be the coordinator of one."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--max_workers", type=int, default=20)
    parser.add_argument("--serve", choices=("dcodex", "simpler"))
    parser.add_argument("settings", nargs="*")
    arguments = parser.parse_args()
    if arguments.serve is not None:
        if arguments.serve == "simpler":
            setattr(machine, "Balancer", TwoEveryFiveSeconds)  # noqa: B010 (mypy forbids the other way)
        return coordinator.main(arguments.settings)
    for load in ("step from 1 to 40 requests/s, 100 ms each", "burst"):
        for policy in ("dcodex", "simpler"):
            print(json.dumps(_measure(policy, arguments.max_workers, load)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
