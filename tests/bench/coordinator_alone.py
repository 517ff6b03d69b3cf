"""The coordinator alone: how many leases a second one core of it carries.

Real sockets, the real process; workers that answer at once and a gateway that always has more,
each in a process of its own. What counts is the coordinator's own CPU time: wall time on a
machine of few cores is shared with the peers that make the load.

    python tests/bench/coordinator_alone.py [--leases 30000] [--workers 8] [--waiting 0]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import zmq

from dcodex_shared.messages import (
    Finished,
    Heartbeat,
    Hello,
    HostState,
    LanguageList,
    Lease,
    Ready,
    Refused,
    Role,
    StartWorker,
    Submit,
    Verdict,
)
from dcodex_shared.wire import decode, encode

#: Requests that the gateway keeps under way for each worker: enough that none ever idles.
PIPELINE = 4
PATIENCE_MS = 10_000


def _dealer(
    context: zmq.Context[zmq.Socket[bytes]], endpoint: str, role: Role, name: str
) -> zmq.Socket[bytes]:
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SNDHWM, 0)
    socket.setsockopt(zmq.RCVHWM, 0)
    socket.connect(endpoint)
    socket.send_multipart(encode(Hello(role, name)))
    return socket


def _workers(endpoint: str, slots: int, stop: Event) -> None:
    """One host and its workers, which answer every lease at once."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    host = _dealer(context, endpoint, Role.HOST, "bench")
    state = encode(HostState((("python", "3"),), slots, 1 << 44, 0.0, 0.0, 0.0, False))
    host.send_multipart(state)
    ready = encode(Ready("python", 0.001))
    poller = zmq.Poller()
    poller.register(host, zmq.POLLIN)
    sockets = [host]
    beat_at = 0.0
    while not stop.is_set():
        for socket, _ in poller.poll(200):
            while True:
                try:
                    message, _payload = decode(socket.recv_multipart(zmq.DONTWAIT))
                except zmq.Again:
                    break
                if type(message) is Lease:
                    done = Finished(
                        message.execution_id,
                        Verdict.OK,
                        0,
                        0,
                        "",
                        0.0,
                        0.0,
                        0.0,
                        0,
                        0.0,
                        False,
                        False,
                    )
                    socket.send_multipart(encode(done))
                    socket.send_multipart(ready)
                elif type(message) is StartWorker:
                    worker = _dealer(context, endpoint, Role.WORKER, message.worker_id)
                    worker.send_multipart(ready)
                    poller.register(worker, zmq.POLLIN)
                    sockets.append(worker)
        if time.monotonic() >= beat_at:
            beat_at = time.monotonic() + 1.0
            host.send_multipart(state)
            for worker in sockets[1:]:
                worker.send_multipart(encode(Heartbeat()))
    for socket in sockets:
        socket.close()
    context.term()


def _cpu_s(pid: int) -> tuple[float, float]:
    """CPU seconds of the whole process, and of its main thread, which runs the loop."""
    tick = os.sysconf("SC_CLK_TCK")

    def read(path: str) -> float:
        fields = Path(path).read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / tick

    return read(f"/proc/{pid}/stat"), read(f"/proc/{pid}/task/{pid}/stat")


def _submit(number: int, language: str, cache_key: bytes = b"") -> list[bytes]:
    return encode(
        Submit(
            f"{number:032x}",
            "tenant",
            language,
            0,
            3600.0,
            False,
            1 << 18,
            10.0,
            cache_key,
            "",
            False,
        ),
        b"x" * 300,
    )


def run(leases: int, workers: int, waiting: int) -> dict[str, float]:
    """One measurement; `waiting` more requests stand in the queue all the time."""
    with tempfile.TemporaryDirectory() as directory:
        gateways, endpoint = (f"ipc://{directory}/{name}s.sock" for name in ("gateway", "worker"))
        command = [sys.executable, "-P", "-m", "dcodex_coordinator", "--runtime_dir", directory]
        command += ["--min_workers", str(workers), "--max_workers", str(workers)]
        command += ["--log_level", "error", "--max_queued", "100000"]
        command += ["--max_queued_per_tenant", "100000"]
        coordinator = subprocess.Popen(command)
        stop = multiprocessing.Event()
        peers = multiprocessing.Process(target=_workers, args=(endpoint, workers, stop))
        peers.start()
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        gateway = _dealer(context, gateways, Role.GATEWAY, "bench")
        try:
            while True:
                assert gateway.poll(PATIENCE_MS)
                message, _ = decode(gateway.recv_multipart())
                if isinstance(message, LanguageList) and message.languages:
                    break
            under_way = waiting + PIPELINE * workers
            sent = done = 0
            warm_up = under_way + 500
            began, cpu = 0.0, (0.0, 0.0)
            beat_at = 0.0
            while done < warm_up + leases:
                while sent - done < under_way:
                    gateway.send_multipart(_submit(sent, "python"))
                    sent += 1
                assert gateway.poll(PATIENCE_MS)
                while True:
                    try:
                        message, _ = decode(gateway.recv_multipart(zmq.DONTWAIT))
                    except zmq.Again:
                        break
                    assert not isinstance(message, Refused), message
                    if type(message) is Finished:
                        done += 1
                        if done == warm_up:
                            began, cpu = time.monotonic(), _cpu_s(coordinator.pid)
                if time.monotonic() >= beat_at:
                    beat_at = time.monotonic() + 1.0
                    gateway.send_multipart(encode(Heartbeat()))
            wall_s = time.monotonic() - began
            process_s, loop_s = (
                after - before for after, before in zip(_cpu_s(coordinator.pid), cpu, strict=True)
            )
        finally:
            stop.set()
            peers.join()
            coordinator.terminate()
            coordinator.wait()
            gateway.close()
            context.term()
    return {
        "workers": workers,
        "waiting": waiting,
        "leases_a_second_wall": leases / wall_s,
        "leases_a_core_second_loop": leases / loop_s,
        "leases_a_core_second_process": leases / process_s,
        # Submit, Lease, Finished twice, Ready.
        "messages_a_core_second_loop": 5 * leases / loop_s,
    }


def main() -> None:
    """Print one line of JSON a measurement."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--leases", type=int, default=20_000)
    parser.add_argument("--workers", type=int, nargs="*", default=[8])
    parser.add_argument("--waiting", type=int, nargs="*", default=[0])
    arguments = parser.parse_args()
    for workers in arguments.workers:
        for waiting in arguments.waiting:
            figures = run(arguments.leases, workers, waiting)
            print(
                json.dumps({name: round(value, 1) for name, value in figures.items()}), flush=True
            )


if __name__ == "__main__":
    main()
