"""The gateway process: settings in, an event loop, and a status for the shell."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

from dcodex_gateway import polling, quiet  # noqa: F401 (before gRPC, which reads what they set)
from dcodex_gateway.server import CannotServe, Gateway
from dcodex_shared import logs
from dcodex_shared.config import ConfigError, GatewaySettings, parse_settings
from dcodex_shared.descriptors import raise_limit
from dcodex_shared.memory import keep_freed_memory
from dcodex_shared.placement import keep_to

PROGRAM = "dcodex-gateway"
EXIT_PORT = 1
#: As argparse ends for a flag that is wrong.
EXIT_CONFIG = 2


def main(argv: Sequence[str]) -> int:
    """Run until told to end. 0: drained; 1: a port cannot be had; 2: a setting is wrong."""
    settings = parse_settings(
        GatewaySettings,
        argv,
        os.environ,
        PROGRAM,
        "Takes programs in over gRPC and passes them to the coordinator.",
    )
    raise_limit()
    keep_to(settings.service_cpus)
    keep_freed_memory()
    logs.configure("gateway", settings.log_level, settings.log_format)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_run(settings))
    except (CannotServe, ConfigError) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return EXIT_CONFIG if isinstance(error, ConfigError) else EXIT_PORT


async def _run(settings: GatewaySettings) -> int:
    return await Gateway(settings).run()


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    """uvloop's where it is installed: fewer microseconds a message."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop
