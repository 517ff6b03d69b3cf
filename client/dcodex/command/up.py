"""`dcodex up`: gateway, coordinator and workers on this machine, as processes of their own."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence

from dcodex.command.connection import complain
from dcodex.up.place import InUse, PlaceError, RuntimeDirectory, reserve_port
from dcodex.up.plan import Place, make_plan
from dcodex.up.ready import wait_until_ready
from dcodex.up.supervisor import Supervisor
from dcodex_shared import stopping
from dcodex_shared.config import (
    ConfigError,
    CoordinatorSettings,
    GatewaySettings,
    WorkerSettings,
    add_flags,
    default_runtime_dir,
    load,
)
from dcodex_shared.placement import for_one_machine

EXIT_FAILED = 1
EXIT_USAGE = 2
#: More gateways than cores of any machine only take memory.
MAX_GATEWAYS = 64
#: Compilers are tried and templates warmed up before the first worker is armed.
STARTUP_S = 120.0

_ABOUT = """\
Start a whole farm on this machine: coordinator, worker host and gateway as processes of
their own, on local sockets. Says `ready on HOST:PORT (...)` on stdout when it serves; Ctrl-C
or SIGTERM lets running programs finish, stops everything and leaves nothing behind.
"""
_EXAMPLES = """\
examples:
  dcodex up
  dcodex up --port 0 --min_workers 4 --max_workers 16
  dcodex up --sandbox_cpu_limit 2s --sandbox_memory_limit 512MB
  dcodex up --config /etc/dcodex.toml --metrics_port 9100

Every flag is also a key of the --config file and an environment variable DCODEX_NAME.
--metrics_port N: the gateway's; coordinator N+1, worker N+2, further gateways from N+3.
"""


def main(argv: Sequence[str]) -> int:
    """Run a farm until told to stop."""
    parser = argparse.ArgumentParser(
        prog="dcodex up",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--gateways", type=int, default=1, metavar="N", help="gateways that share the port"
    )
    parser.add_argument(
        "--while_stdin",
        "--while-stdin",
        action="store_true",
        help="end, too, at the end of stdin: with the process that holds its other end",
    )
    add_flags(parser, GatewaySettings, CoordinatorSettings, WorkerSettings)
    flags = parser.parse_args(argv)
    try:
        if not 1 <= flags.gateways <= MAX_GATEWAYS:
            raise ConfigError(f"--gateways must be between 1 and {MAX_GATEWAYS}")
        gateway = load(GatewaySettings, flags, os.environ)
        coordinator = load(CoordinatorSettings, flags, os.environ)
        load(WorkerSettings, flags, os.environ)
    except ConfigError as error:
        complain(str(error))
        return EXIT_USAGE
    # From here on there is a directory that must not be left behind.
    stopping.hold()
    try:
        directory = _claim_directory(gateway.runtime_dir)
    except PlaceError as error:
        complain(str(error))
        return EXIT_FAILED
    flags.runtime_dir = directory.path
    flags.service_cpus = for_one_machine(gateway.service_cpus, sorted(os.sched_getaffinity(0)))
    gateway = load(GatewaySettings, flags, os.environ)
    try:
        return asyncio.run(_run(flags, gateway, coordinator, directory))
    except PlaceError as error:
        complain(str(error))
        return EXIT_FAILED
    except ConfigError as error:
        complain(str(error))
        return EXIT_USAGE
    finally:
        directory.release()


def _claim_directory(path: str) -> RuntimeDirectory:
    try:
        return RuntimeDirectory(path)
    except InUse as error:
        if path != default_runtime_dir():
            raise InUse(f"{error}: give this one its own --runtime_dir") from None
        own = f"{path}-{os.getpid()}"
        complain(f"{error}; this one uses {own}")
        return RuntimeDirectory(own)


async def _run(
    flags: argparse.Namespace,
    gateway: GatewaySettings,
    coordinator: CoordinatorSettings,
    directory: RuntimeDirectory,
) -> int:
    with reserve_port(gateway.host, gateway.port) as reserved:
        port = int(reserved.getsockname()[1])
        place = Place(directory.path, port, flags.gateways, gateway.metrics_port)
        supervisor = Supervisor(
            make_plan(flags, place), gateway.drain_grace, directory.lock, complain
        )
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, supervisor.request_stop)
        # Not so: these would be the interpreter's again once the loop is closed.
        stopping.tell(lambda _: loop.call_soon_threadsafe(supervisor.request_stop))
        if flags.while_stdin:
            loop.add_reader(0, _read_stdin, loop, supervisor)
        supervisor.start()
        try:
            await _announce(supervisor, gateway, place, coordinator.min_workers)
            await supervisor.ended()
        finally:
            status = await supervisor.stop()
            stopping.disregard()
        return status


def _read_stdin(loop: asyncio.AbstractEventLoop, supervisor: Supervisor) -> None:
    if not os.read(0, 4096):
        loop.remove_reader(0)
        supervisor.request_stop()


async def _announce(
    supervisor: Supervisor, settings: GatewaySettings, place: Place, min_workers: int
) -> None:
    """Say when the farm is ready; returns early where it must end instead."""
    host = _reachable(settings.host)
    ready = asyncio.create_task(
        wait_until_ready(settings, host, place.port, place.gateways, min_workers)
    )
    ended = asyncio.create_task(supervisor.ended())
    await asyncio.wait((ready, ended), timeout=STARTUP_S, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if ready.done():
        supervisor.ready = True
        print(f"ready on {host}:{place.port} ({ready.result()})", flush=True)
        return
    ready.cancel()
    if not ended.done():
        complain(f"the farm was not ready within {STARTUP_S:g} s; its log says more")
        supervisor.status = EXIT_FAILED
        supervisor.request_stop()


def _reachable(host: str) -> str:
    """Where this machine reaches a server that listens on `host`."""
    if host in ("0.0.0.0", ""):
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
