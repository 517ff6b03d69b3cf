"""Where each microsecond of a request goes: traces of many hello requests, averaged per hop.

    python -m tests.bench.profile_path [--runs 200] [--workers 4] [--target HOST:PORT]

Every process on the way stamps a traced request with CLOCK_MONOTONIC (metadata dcodex-trace);
the stamps come back in the trailing metadata. The caller adds its own two. The hops of one
request add up to its latency, and so do the averages.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import time
from collections.abc import Iterator, Sequence

import grpc
from rich.table import Table
from tests.bench.farm import BenchFarm
from tests.bench.measure import spread
from tests.bench.report import make_console

from dcodex.channels import TRACE_METADATA
from dcodex.replies import read_run, read_stamps
from dcodex.requests import Options, build_start
from dcodex.values import Stamp
from dcodex_proto.v1 import executor_pb2_grpc as rpc

#: What happens up to each stamp, since the one before.
_HOPS = {
    "gateway.received": "the caller's gRPC, to the gateway's handler",
    "coordinator.received": "gateway: check, translate, encode; ZeroMQ",
    "coordinator.leased": "coordinator: queue, pick a worker",
    "worker.received": "coordinator: encode; ZeroMQ; worker: decode",
    "worker.launched": "worker: hand the program to the armed sandbox",
    "worker.first_output": "the program starts and prints",
    "worker.exited": "the program ends, as seen from outside",
    "worker.sent": "worker: verdict, figures, encode",
    "coordinator.finished": "ZeroMQ; coordinator: decode",
    "gateway.answered": "coordinator: encode; ZeroMQ; gateway: the reply",
    "caller.received": "the gateway's gRPC, to the caller",
}
_OPTIONS: Options = {"cache": False}


def hops(stamps: Sequence[Stamp]) -> list[tuple[str, float]]:
    """The stamps but the first, in order: where, and seconds since the one before."""
    ordered = sorted(stamps, key=lambda stamp: stamp.at_s)
    return [
        (after.where, after.at_s - before.at_s) for before, after in itertools.pairwise(ordered)
    ]


def trace(stub: rpc.ExecutorStub, source: str) -> list[Stamp]:
    """One traced request's stamps, the caller's own included."""
    start = build_start(source, _OPTIONS, stdin_complete=True)
    began = time.monotonic()
    reply, call = stub.Run.with_call(start, metadata=TRACE_METADATA)
    ended = time.monotonic()
    read_run(reply).check()
    return [
        Stamp("caller.sent", began),
        *read_stamps(call.trailing_metadata()),
        Stamp("caller.received", ended),
    ]


@contextlib.contextmanager
def _farm(target: str, workers: int) -> Iterator[str]:
    if target:
        yield target
        return
    with BenchFarm(workers, "", languages="python") as farm:
        farm.settle()
        yield farm.target


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.profile_path", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--runs", type=int, default=200, help="traced requests (default 200)")
    parser.add_argument("--workers", type=int, default=4, help="of the farm (default 4)")
    parser.add_argument("--target", default="", help="a farm that runs (default: start one)")
    arguments = parser.parse_args()
    with (
        _farm(arguments.target, arguments.workers) as target,
        grpc.insecure_channel(target) as channel,
    ):
        stub = rpc.ExecutorStub(channel)
        for number in range(4 * arguments.workers):  # warm up
            trace(stub, f"print('warm', {number})\n")
        requests = [
            hops(trace(stub, f"print('hello', {number})\n")) for number in range(arguments.runs)
        ]
    make_console().print(_table(requests))


def _table(requests: Sequence[Sequence[tuple[str, float]]]) -> Table:
    times: dict[str, list[float]] = {where: [] for where in _HOPS}
    for request in requests:
        for where, seconds in request:
            times.setdefault(where, []).append(seconds)
    whole = sum(map(sum, times.values()))
    table = Table(title=f"one request, in microseconds (of {len(requests)})", show_footer=True)
    table.add_column("up to", "all of it")
    table.add_column("what happens")
    mean = whole / len(requests) * 1e6
    table.add_column("mean", f"{mean:.0f}", justify="right")
    for name in ("share", "p50", "p90", "p99"):
        table.add_column(name, justify="right")
    for where, values in times.items():
        if values:
            one = spread(values)
            table.add_row(
                where,
                _HOPS.get(where, ""),
                f"{sum(values) / len(requests) * 1e6:.0f}",
                f"{sum(values) / whole:.0%}",
                *(f"{value * 1e6:.0f}" for value in (one.p50, one.p90, one.p99)),
            )
    return table


if __name__ == "__main__":
    main()
